"""Decisions by HTTP and by command: a rejection names a reason of the catalogue at every door."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from tests.builders import a_claim_under_review, a_fault
from tests.integration.door import Api, demand_problem
from tests.integration.parts import PATIENCE_SECONDS, Spotclaim
from tests.servers.waiting import wait_until
from workers.bootstrap.app import App
from workers.cli import app

FAULT = {"spot_id": "E1", "error": {"taxonomy": "spotclaim", "code": "GROUND_FAILURE"}}


def reviewed(api: Api) -> dict[str, Any]:
    """A claim that waits for its first stage."""
    api.post("faults", FAULT).raise_for_status()

    def standing() -> list[dict[str, Any]]:
        return list(api.get("claims", status="under_review").json()["claims"])

    assert wait_until(lambda: bool(standing()), PATIENCE_SECONDS)
    return standing()[0]


def test_a_rejection_by_http_names_its_reason(api: Api) -> None:
    """Alone, among many and of an incident; the answer names the nearest."""
    claim = reviewed(api)

    refused = api.decide(claim["id"], "reject", "reviewer", reason="NO_FAULT_FOUNDD")
    demand_problem(refused, 422, "the nearest is NO_FAULT_FOUND")
    assert refused.json()["code"] == "UNKNOWN_REASON"
    seen = {"claim": claim["id"], "version": api.get(f"claims/{claim['id']}").json()["version"]}
    many = api.post("decisions", {"decision": "reject", "reason": "NOTHING", "claims": [seen]}, "reviewer")
    assert many.json()["items"][0]["problem"]["code"] == "UNKNOWN_REASON"
    demand_problem(api.decide(claim["id"], "approve", "reviewer", reason="NOT_COVERED"), 422, "Only a rejection")
    api.decide(claim["id"], "reject", "reviewer", reason="NO_FAULT_FOUND").raise_for_status()

    # A notification of the review may be recorded after it.
    [rejected] = [event for event in api.events(claim["id"]) if event["kind"] == "claim.rejected"]
    assert '"reason_code":"NO_FAULT_FOUND"' in rejected["body"]


@pytest.fixture
def command(emptied_database_url: str, tmp_path: Path) -> Callable[..., Result]:
    """Any command on the test's database."""
    environment = {
        "SPOTCLAIM_DATABASE_URL": emptied_database_url,
        "SPOTCLAIM_DATA": str(tmp_path),
        "SPOTCLAIM_POLICY": "lenient",
    }
    return lambda *arguments: CliRunner().invoke(app, [*map(str, arguments)], env=environment)


def test_a_rejection_by_command_names_its_reason(spotclaim: Spotclaim, command: Callable[..., Result]) -> None:
    """And its version, if somebody else may have been faster."""
    spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    spotclaim.carry_out()
    [claim] = spotclaim.claims()

    wrong = command("claims", "decide", claim["id"], "reject", "--reason", "NO_FALT_FOUND")
    assert "the nearest is NO_FAULT_FOUND" in str(wrong.exception)
    assert "you saw version 1" in str(
        command("claims", "decide", claim["id"], "reject", "--note", "x", "--version", 1).exception
    )
    assert command("claims", "decide", claim["id"], "dance").exit_code == 2
    done = command("claims", "decide", claim["id"][-8:], "reject", "--reason", "NO_FAULT_FOUND", "--note", "twice")

    assert done.output.endswith(f"Claim {claim['number']}: GROUND_FAILURE, critical, rejected.\n")
    assert "No fault was found at the spot. [NO_FAULT_FOUND]: twice" in command("claim", claim["id"]).output
    assert "rejected" in command("claims", "--status", "rejected").output


def test_a_correction_by_http(api: Api) -> None:
    """By a manager, with a reason; the claim's view and its events show it."""
    claim = reviewed(api)
    path, right = f"claims/{claim['id']}/correction", {"severity": "low", "note": "measured"}

    demand_problem(api.post(path, right, "reviewer"), 403, "manager or admin")
    demand_problem(api.post(path, {"severity": "low"}, "manager"), 422)
    demand_problem(api.post(path, right | {"version": 1}, "manager"), 409, "you saw version 1")
    refused = api.post(path, right | {"severity": "lo"}, "manager")
    demand_problem(refused, 422, "the nearest is low")
    assert refused.json()["code"] == "UNKNOWN_SEVERITY"
    demand_problem(api.post("claims/00000000/correction", right, "manager"), 404)
    answer = api.post(path, right, "manager").raise_for_status().json()

    assert (answer["severity"], answer["id"]) == ("low", claim["id"])
    assert "claim.corrected" in [event["kind"] for event in api.events(claim["id"])]


def test_a_correction_by_command(spotclaim: Spotclaim, command: Callable[..., Result]) -> None:
    """What it was stands in the timeline."""
    spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    spotclaim.carry_out()
    [claim] = spotclaim.claims()
    correct = ["claims", "correct", claim["id"], "--note", "measured"]

    assert "the nearest is OVER_VOLTAGE" in str(command(*correct, "--code", "OVER_VOLTAG").exception)
    assert command(*correct[:3], "--severity", "low").exit_code == 2
    done = command(*correct, "--code", "OVER_VOLTAGE")

    assert f"Claim {claim['number']}: OVER_VOLTAGE, high, " in done.output
    shown = command("claim", claim["id"]).output
    assert "OVER_VOLTAGE on spot DE*ABC*E1, severity high" in shown
    assert "corrected the error from GROUND_FAILURE to OVER_VOLTAGE and the severity from critical" in shown
    assert "; never paused" in shown


def test_a_duplicate_by_http(api: Api) -> None:
    """The other one is named by its id or the end of it; both show it."""
    claim = reviewed(api)
    api.post("faults", FAULT | {"spot_id": "E2"}).raise_for_status()
    assert wait_until(lambda: len(api.get("claims").json()["claims"]) == 2, PATIENCE_SECONDS)
    other = next(it["id"] for it in api.get("claims").json()["claims"] if it["id"] != claim["id"])
    path, body = f"claims/{claim['id']}/duplicate", {"of": other[-8:], "note": "one call, two spots"}

    demand_problem(api.post(path, body, "reviewer"), 403)
    demand_problem(api.post(path, body | {"of": "ffffffff"}, "manager"), 404)
    demand_problem(api.post(path, body | {"of": claim["id"]}, "manager"), 409, "of itself")
    answer = api.post(path, body, "manager").raise_for_status().json()

    assert (answer["status"], answer["duplicate_of"]) == ("duplicate", other)
    assert "claim.duplicate_taken" in [event["kind"] for event in api.events(other)]
    assert [it["id"] for it in api.get("claims", status="duplicate").json()["claims"]] == [claim["id"]]


def test_a_duplicate_by_command(spotclaim: Spotclaim, command: Callable[..., Result]) -> None:
    """Its story says of which."""
    spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE"), a_fault(raw_code="OVER_CURRENT")])
    claims = spotclaim.claims()
    first, second = [claim["id"] for claim in claims]

    done = command("claims", "duplicate", first[-8:], "--of", claims[1]["number"], "--note", "one fault")

    assert f"Claim {claims[0]['number']}: GROUND_FAILURE, critical, duplicate." in done.output
    assert f"duplicate of claim {second}; reported 1 time" in command("claim", first).output
    assert f"took over duplicate claim {first}, now 2 faults in all" in command("claim", second).output


def test_a_rebinding_by_http(system: App, api: Api, spotclaim: Spotclaim) -> None:
    """Of a claim that another policy bound; afterwards there is nothing to rebind."""
    content = orjson.dumps(orjson.loads(system.foundation.policy_content) | {"version": "old"})
    system.foundation.policies.keep("old", content.decode())
    old = a_claim_under_review("operator", time_zone="UTC", policy_version="old", code="GROUND_FAILURE")
    spotclaim.put_on_record(old)
    path, why = f"claims/{old.id}/rebinding", {"note": "agreed"}

    demand_problem(api.post(path, why, "operator"), 403, "manager or admin")
    demand_problem(api.post(path, {}, "manager"), 422)
    demand_problem(api.post(path, why | {"version": 7}, "manager"), 409, "you saw version 7")
    answer = api.post(path, why | {"version": 1}, "manager").raise_for_status().json()

    assert (answer["policy_version"], answer["status"]) != ("old", "under_review")
    demand_problem(api.post(path, why, "manager"), 409, "already")
    assert [event["kind"] for event in api.events(old.id)][:2] == ["claim.restated", "claim.rebound"]


def test_a_rebinding_by_command(spotclaim: Spotclaim, command: Callable[..., Result]) -> None:
    """Its story says by which policy it goes since."""
    old = a_claim_under_review("operator", time_zone="UTC", policy_version="old", code="GROUND_FAILURE")
    spotclaim.put_on_record(old)

    done = command("claims", "rebind", old.id, "--note", "agreed with the operator")

    assert f"Claim {old.id}: GROUND_FAILURE, high, " in done.output
    shown = command("claim", old.id).output
    assert f"policy {spotclaim.policy.version}" in shown
    assert f"bound to policy {spotclaim.policy.version}, no more to old, as admin" in shown
