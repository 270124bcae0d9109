"""What people do with incidents, over HTTP: who may, what they are answered, and what stays on record."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from adapters.postgres.audit.snapshot import open_snapshot
from tests.integration.door import Api, demand_problem
from tests.integration.parts import PATIENCE_SECONDS
from tests.servers.waiting import wait_until
from workers.audit.verify import audit
from workers.bootstrap.app import App


def fault(spot: str, zone: str = "north") -> dict[str, Any]:
    return {"spot_id": spot, "zone": zone, "error": {"taxonomy": "spotclaim", "code": "POWER_FAILURE"}}


def incident_of(api: Api, zone: str, spots: Sequence[str]) -> dict[str, Any]:
    """The incident that these spots make, with its claims."""

    def found() -> list[dict[str, Any]]:
        rows = api.get("incidents", status="open").json()["incidents"]
        return [row for row in rows if row["place"] == zone and row["claim_count"] == len(spots)]

    for spot in spots:
        api.post("faults", fault(spot, zone))
    assert wait_until(lambda: len(found()) == 1, PATIENCE_SECONDS)
    shown: dict[str, Any] = api.get(f"incidents/{found()[0]['id']}").json()
    return shown


@pytest.fixture
def north(api: Api) -> dict[str, Any]:
    return incident_of(api, "north", ["E1", "E2", "E3", "E4"])


def kinds(system: App, incident_id: str) -> list[str]:
    return [event["kind"] for event in system.queries.reports.claim_events(incident_id)]


def test_an_incident_is_listed_and_shown_with_its_claims(api: Api, north: dict[str, Any]) -> None:
    """By its id or the end of it, to whoever may look."""
    shown = api.get(f"incidents/{north['id'][-8:]}", "auditor").json()

    assert (shown["code"], shown["kind"], shown["place"], shown["status"]) == (
        "POWER_FAILURE",
        "zone",
        "north",
        "open",
    )
    assert [claim["spot_id"] for claim in shown["claims"]] == ["E1", "E2", "E3", "E4"]
    assert api.get("incidents", status="closed").json() == {"incidents": [], "next_before": None}
    demand_problem(api.get("incidents/ffffff"), 404, "No incident ends with ffffff")


def test_somebody_sees_to_one(api: Api, system: App, north: dict[str, Any]) -> None:
    """Which is on record with who and when, once; whoever only looks cannot."""
    path = f"incidents/{north['id']}/acknowledgement"
    demand_problem(api.post(path, {}, "auditor"), 403, "auditor")

    seen = api.post(path, {"note": "on my way"}).json()
    again = api.post(path, {}, "manager").json()

    assert north["acknowledged_at"] is None
    assert seen["acknowledged_at"] == again["acknowledged_at"] is not None
    events = system.queries.reports.claim_events(north["id"])
    [first, _] = [event for event in events if event["kind"] == "incident.acknowledged"]
    assert (first["actor"], json.loads(first["body"])["note"]) == ("operator's program", "on my way")
    api.post(f"incidents/{north['id']}/closing", {"note": "over"})
    demand_problem(api.post(path, {}), 409, "is closed")


@pytest.mark.parametrize("way", ["root-cause", "splitting", "decisions"])
def test_whoever_does_something_about_one_sees_to_it(api: Api, north: dict[str, Any], way: str) -> None:
    """And need not say so besides."""
    bodies: dict[str, Any] = {
        "root-cause": {"root_cause": "transformer"},
        "splitting": {"claims": [north["claims"][0]["id"]], "note": "apart"},
        "decisions": {"decision": "acknowledge"},
    }

    api.post(f"incidents/{north['id']}/{way}", bodies[way], "manager")

    assert api.get(f"incidents/{north['id']}").json()["acknowledged_at"]


def test_one_is_closed_by_somebody_who_says_why(api: Api, system: App, north: dict[str, Any]) -> None:
    """Once; and what goes on showing the error is no incident again at once."""
    demand_problem(api.post(f"incidents/{north['id']}/closing", {"note": " "}), 422)
    demand_problem(api.post(f"incidents/{north['id']}/closing", {"note": "x"}, "auditor"), 403, "auditor")

    closed = api.post(f"incidents/{north['id']}/closing", {"note": "planned work"}).json()

    assert (closed["status"], closed["closed_why"]) == ("closed", "person")
    demand_problem(api.post(f"incidents/{north['id']}/closing", {"note": "again"}), 409, "is closed")
    [event] = [it for it in system.queries.reports.claim_events(north["id"]) if it["kind"] == "incident.closed"]
    assert (event["actor"], json.loads(event["body"])["note"]) == ("operator's program", "planned work")
    api.post("faults", fault("E5"))
    assert wait_until(lambda: system.work.steps.due() == 0, PATIENCE_SECONDS)
    assert api.get("incidents", status="open").json()["incidents"] == []


def test_two_that_are_one_are_merged(api: Api, system: App, north: dict[str, Any]) -> None:
    """The claims go over, and only one goes on."""
    south = incident_of(api, "south", ["S1", "S2", "S3"])

    merged = api.post(f"incidents/{south['id']}/merging", {"into": north["id"], "note": "one substation"}).json()

    assert (merged["id"], merged["claim_count"]) == (north["id"], 7)
    assert len(api.get(f"incidents/{north['id']}").json()["claims"]) == 7
    gone = api.get(f"incidents/{south['id']}").json()
    assert (gone["closed_why"], gone["merged_into"]) == ("merged", north["id"])
    assert (gone["claim_count"], gone["claims"]) == (0, [])
    demand_problem(api.post(f"incidents/{north['id']}/merging", {"into": north["id"]}), 409, "another one")
    demand_problem(api.post(f"incidents/{north['id']}/merging", {"into": south["id"]}), 409, "is closed")
    assert "incident.merged" in kinds(system, north["id"])


def test_what_does_not_belong_is_split_off(api: Api, system: App, north: dict[str, Any]) -> None:
    """As an incident of its own, which takes in nothing more by itself."""
    apart = [claim["id"] for claim in north["claims"][:2]]
    path = f"incidents/{north['id']}/splitting"

    answer = api.post(path, {"claims": apart, "note": "vandalism"})

    assert (answer.status_code, answer.json()["split_from"]) == (201, north["id"])
    other = api.get(f"incidents/{answer.json()['id']}").json()
    assert [claim["id"] for claim in other["claims"]] == apart
    assert api.get(f"incidents/{north['id']}").json()["claim_count"] == 2
    demand_problem(api.post(path, {"claims": apart, "note": "again"}), 409, "does not belong")
    rest = [claim["id"] for claim in north["claims"][2:]]
    demand_problem(api.post(path, {"claims": rest, "note": "all"}), 409, "at least one stays")
    incident_of(api, "north", ["E3", "E4", "E5"])


def test_the_cause_is_kept_and_may_come_late(api: Api, north: dict[str, Any]) -> None:
    """Often it is known only after the end."""
    api.post(f"incidents/{north['id']}/closing", {"note": "over"})

    stated = api.post(f"incidents/{north['id']}/root-cause", {"root_cause": "transformer"}).json()

    assert (stated["root_cause"], stated["status"]) == ("transformer", "closed")


def test_one_decision_is_for_all_claims_and_each_is_reported(api: Api, north: dict[str, Any]) -> None:
    """Whoever filed one of them may not approve it here either."""
    wanted = {"decision": "acknowledge", "note": "on it"}

    items = api.post(f"incidents/{north['id']}/decisions", wanted, "manager").json()["items"]
    again = api.post(f"incidents/{north['id']}/decisions", {"decision": "resolve"}, "manager").json()["items"]

    assert [item["claim"] for item in items] == sorted(claim["id"] for claim in north["claims"])
    assert {item["problem"]["status"] for item in again} == {409}


def test_its_history_leads_to_its_row(api: Api, system: App, north: dict[str, Any]) -> None:
    """Whatever people did to it."""
    split = {"claims": [north["claims"][0]["id"]], "note": "apart"}
    other = api.post(f"incidents/{north['id']}/splitting", split).json()
    api.post(f"incidents/{other['id']}/merging", {"into": north["id"]})
    api.post(f"incidents/{north['id']}/acknowledgement", {})
    api.post(f"incidents/{north['id']}/root-cause", {"root_cause": "transformer"})
    api.post(f"incidents/{north['id']}/closing", {"note": "done"})

    with open_snapshot(system.foundation.engine) as record:
        assert audit(record).findings == []
