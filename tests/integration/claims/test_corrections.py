"""People's corrections over the real store: of severity and error, with what follows for the rest."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from psycopg2.errors import InsufficientPrivilege

from adapters.postgres.audit.snapshot import open_snapshot
from domain.audit import chain as audit
from domain.claims.claim import Claim
from domain.claims.correct import Correction
from domain.claims.decide import Wanted
from domain.errors import Conflict, NotAllowed, NotFound, TransientError
from domain.identifiers import new_claim_id
from domain.policy.policy import NotificationRule
from domain.ports.store import Identity
from tests.builders import NOW, a_fault, a_policy, a_usage_record
from tests.integration.parts import PATIENCE_SECONDS, Clock, Spotclaim
from workers.audit.verify import audit as verified
from workers.services.corrections import CorrectionService
from workers.services.decisions import Decide
from workers.services.incidents import IncidentService

RITA, ROSA, MAX, ANN = (
    Identity("rita", "reviewer"),
    Identity("rosa", "reviewer"),
    Identity("max", "manager"),
    Identity("ann", "admin"),
)
POLICY = a_policy(notifications=(NotificationRule("claim.corrected", ("ops",)),))


@pytest.fixture
def spotclaim(set_up: Callable[..., Spotclaim]) -> Spotclaim:
    return set_up(policy=POLICY)


def correcting(spotclaim: Spotclaim) -> CorrectionService:
    parts = (spotclaim.store, spotclaim.policy, spotclaim.policies, spotclaim.clock)
    return CorrectionService(*parts, lambda kind, changes: spotclaim.committed.append((kind, changes)))


def deciding(spotclaim: Spotclaim) -> Decide:
    return Decide(spotclaim.store, spotclaim.policy, spotclaim.policies, spotclaim.clock, lambda *_: None)


def reviewed(spotclaim: Spotclaim, **fault: Any) -> dict[str, Any]:
    """A claim of high severity that waits for its reviewer: the session was negative."""
    spotclaim.take_in(usage=[a_usage_record(energy_kwh=-5.0)], faults=[a_fault(**fault)])
    spotclaim.carry_out()
    [claim] = spotclaim.claims()
    assert (claim["status"], claim["severity"]) == ("under_review", "high")
    return claim


def row(spotclaim: Spotclaim, claim_id: str) -> dict[str, Any]:
    return next(claim for claim in spotclaim.claims() if claim["id"] == claim_id)


def test_another_severity_has_other_stages_and_clocks(spotclaim: Spotclaim) -> None:
    """The approval in progress starts anew; people are notified; the old stage's time is not the new one's."""
    claim = reviewed(spotclaim)
    deciding(spotclaim)(Wanted(claim["id"]), "approve", RITA)

    correcting(spotclaim).correct(Wanted(claim["id"]), Correction("medium"), ANN, "nothing was lost")
    spotclaim.carry_out()

    now = row(spotclaim, claim["id"])
    assert (now["severity"], now["status"], now["stages"], now["stage"]) == (
        "medium",
        "under_review",
        ["reviewer"],
        1,
    )
    assert now["approved_by"] == []
    # 60 hours of the business calendar, counted since it was opened.
    assert now["resolve_due_at"] > claim["resolve_due_at"]
    kinds = [event.kind for event in spotclaim.events(claim["id"])]
    assert kinds[-4:] == ["claim.corrected", "claim.verified", "claim.routed", "claim.announced"]
    assert [title for _, title, _ in spotclaim.notifier.sent] == ["METER_MISREAD on spot DE*ABC*E1: corrected"]
    spotclaim.clock.now += timedelta(hours=73)
    before = next(
        step
        for step in spotclaim.rows("SELECT id, payload FROM steps WHERE kind = 'escalate' ORDER BY id")
        if step["payload"]["state_key"] == "under_review:2"
    )
    spotclaim.runner.run("escalate", [before["id"]])
    assert row(spotclaim, claim["id"])["escalated_to"] is None
    spotclaim.demand_sound_chains()


def test_a_late_stage_from_before_a_correction_is_not_the_new_one(set_up: Callable[..., Spotclaim]) -> None:
    """Both are the first stage of a review; only the second one's time counts."""
    spotclaim = set_up(clock=Clock(datetime.now(UTC) - timedelta(hours=80)), policy=a_policy())
    spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    spotclaim.carry_out()
    [claim] = spotclaim.claims()
    correcting(spotclaim).correct(Wanted(claim["id"]), Correction(code="OVER_VOLTAGE"), MAX, "measured")
    spotclaim.carry_out()

    spotclaim.clock.now += timedelta(hours=25)
    first, _ = [row["id"] for row in spotclaim.rows("SELECT id FROM steps WHERE kind = 'escalate' ORDER BY id")]
    spotclaim.runner.run("escalate", [first])

    [claim] = spotclaim.claims()
    assert (claim["status"], claim["stage"], claim["escalated_to"]) == ("under_review", 1, None)


def test_whoever_corrects_a_claim_does_not_approve_it(spotclaim: Spotclaim) -> None:
    """The database itself refuses it too."""
    claim = reviewed(spotclaim)
    corrected = correcting(spotclaim).correct(Wanted(claim["id"]), Correction("critical"), MAX, "it burnt")
    spotclaim.carry_out()
    decide = deciding(spotclaim)
    decide(Wanted(claim["id"]), "approve", RITA)

    with pytest.raises(NotAllowed, match="max filed this claim"):
        decide(Wanted(claim["id"]), "approve", MAX)
    event = audit.append(corrected, NOW, "max", "claim.approved", {})
    with pytest.raises(InsufficientPrivilege, match="nobody approves what they filed"):
        spotclaim.record(corrected, event)

    assert decide(Wanted(claim["id"]), "approve", ANN).status == "approved"


def test_another_error_is_judged_by_its_own_question(spotclaim: Spotclaim) -> None:
    """Its faults stay where they were; later ones of the old error open a claim, those of the new one count."""
    claim = reviewed(spotclaim)
    correct = correcting(spotclaim).correct

    correct(Wanted(claim["id"], claim["version"]), Correction(code="SESSION_OVERLAP"), MAX, "two ran at once")
    spotclaim.carry_out()
    judged = row(spotclaim, claim["id"])
    assert (judged["code"], judged["severity"], judged["status"]) == (
        "SESSION_OVERLAP",
        "medium",
        "awaiting_evidence",
    )
    assert judged["verdict_seq"] > claim["verdict_seq"]

    spotclaim.take_in(faults=[a_fault(), a_fault(raw_code="SESSION_OVERLAP")])
    spotclaim.carry_out()
    counts = {it["code"]: (it["id"] == claim["id"], it["fault_count"]) for it in spotclaim.claims()}
    assert counts == {"SESSION_OVERLAP": (True, 2), "METER_MISREAD": (False, 1)}
    spotclaim.demand_sound_chains()


def test_one_claim_is_open_for_a_spot_and_an_error(spotclaim: Spotclaim) -> None:
    """The answer names the other one, and says what to do instead; nothing was changed."""
    claim = reviewed(spotclaim)
    spotclaim.take_in(faults=[a_fault(raw_code="METER_REGRESSION")])
    other = next(it for it in spotclaim.claims() if it["code"] == "METER_REGRESSION")

    with pytest.raises(
        Conflict, match=f"Claim {other['number']} is open for METER_REGRESSION .* as a duplicate of that"
    ):
        correcting(spotclaim).correct(Wanted(claim["id"]), Correction(code="METER_REGRESSION"), MAX, "it fell")
    with pytest.raises(NotFound):
        correcting(spotclaim).correct(Wanted(new_claim_id()), Correction("low"), MAX, "it fell")

    assert row(spotclaim, claim["id"])["version"] == claim["version"]


def test_a_fault_of_another_code_than_its_claim_had_is_found(spotclaim: Spotclaim) -> None:
    """The correction of the claim excuses none that is altered."""
    claim = reviewed(spotclaim)
    correcting(spotclaim).correct(Wanted(claim["id"]), Correction(code="METER_REGRESSION"), MAX, "it fell")
    spotclaim.demand_sound_chains()

    spotclaim.rows("UPDATE faults SET code = 'METER_REGRESSION'")

    with open_snapshot(spotclaim.engine) as record:
        assert {finding.what for finding in verified(record).findings} == {"FAULT_ALTERED"}


def test_a_claim_of_another_error_leaves_its_incident(spotclaim: Spotclaim) -> None:
    """What is decided for all claims of the incident is not decided for it; another severity leaves it there."""
    power = {"raw_code": "POWER_FAILURE", "zone": "north", "occurred_at": NOW}
    spotclaim.take_in(faults=[a_fault(spot_id=f"E{n}", **power) for n in range(4)])
    spotclaim.carry_out()
    [incident] = spotclaim.rows("SELECT id::text AS id FROM incidents")
    apart, other, *_ = spotclaim.claims()
    correct = correcting(spotclaim).correct

    correct(Wanted(other["id"]), Correction("critical"), MAX, "the whole street")
    correct(Wanted(apart["id"]), Correction(code="CONTROLLER_FAILURE"), MAX, "its own fuse")
    spotclaim.carry_out()

    linked = {str(it["claim_id"]) for it in spotclaim.rows("SELECT claim_id FROM incident_claims")}
    assert linked == {claim["id"] for claim in spotclaim.claims()} - {apart["id"]}
    assert spotclaim.value("SELECT claim_count FROM incidents") == 3
    assert spotclaim.events(incident["id"])[-1].kind == "incident.claims_left"
    service = IncidentService(
        spotclaim.store, deciding(spotclaim), POLICY.incidents, spotclaim.clock, new_claim_id, lambda *_: None
    )
    results = service.decide(incident["id"], "reject", RITA, "", "NO_FAULT_FOUND")
    assert [getattr(result, "status", None) for result in results] == ["rejected"] * 3
    assert row(spotclaim, apart["id"])["closed_at"] is None
    spotclaim.demand_sound_chains()


def test_of_many_who_correct_at_once_one_does(spotclaim: Spotclaim) -> None:
    """All saw the same version, and the others learn that the claim moved on."""
    claim = reviewed(spotclaim)
    correct, together = correcting(spotclaim).correct, Barrier(10, timeout=PATIENCE_SECONDS)

    def one(number: int) -> str:
        together.wait()
        right = Correction("low") if number % 2 else Correction(code="METER_REGRESSION")
        try:
            correct(Wanted(claim["id"], claim["version"]), right, Identity(f"manager {number}", "manager"), "why")
        except Conflict as conflict:
            assert "you saw version" in str(conflict)
            return "conflict"
        return "corrected"

    with ThreadPoolExecutor(10) as pool:
        assert Counter(pool.map(one, range(10))) == {"corrected": 1, "conflict": 9}
    kinds = Counter(event.kind for event in spotclaim.events(claim["id"]))
    assert kinds["claim.corrected"] == 1
    spotclaim.demand_sound_chains()


def test_a_notice_since_the_look_is_no_conflict(spotclaim: Spotclaim) -> None:
    """As with decisions."""
    claim = reviewed(spotclaim)
    corrected = correcting(spotclaim).correct(Wanted(claim["id"]), Correction("critical"), MAX, "it burnt")
    spotclaim.carry_out()
    assert spotclaim.events(claim["id"])[-1].kind == "claim.announced"

    again = correcting(spotclaim).correct(Wanted(claim["id"], corrected.version), Correction("low"), ANN, "not so")

    assert isinstance(again, Claim)
    stated = json.loads(spotclaim.events(claim["id"])[-1].body)
    assert (stated["severity_before"], stated["severity"], stated["note"]) == ("critical", "low", "not so")


def test_a_correction_and_a_fault_of_that_error_at_once_leave_one_open_claim(spotclaim: Spotclaim) -> None:
    """Whoever comes first; the other one counts with it, or is refused and may try again."""
    correct = correcting(spotclaim).correct
    for number in range(10):
        spot, together = f"E{number}", Barrier(2, timeout=PATIENCE_SECONDS)
        spotclaim.take_in(faults=[a_fault(spot_id=spot)])
        claim = next(it for it in spotclaim.claims() if it["spot_id"] == spot)

        def report(spot: str = spot, together: Barrier = together) -> None:
            together.wait()
            spotclaim.take_in(faults=[a_fault(spot_id=spot, raw_code="METER_REGRESSION")])

        with ThreadPoolExecutor(1) as pool:
            reporting = pool.submit(report)
            together.wait()
            with suppress(Conflict, TransientError):
                correct(Wanted(claim["id"]), Correction(code="METER_REGRESSION"), MAX, "it fell")
            reporting.result()
        open_ = [it for it in spotclaim.claims() if it["spot_id"] == spot]
        counted = {(it["code"], it["fault_count"]) for it in open_}
        corrected, refused = {("METER_REGRESSION", 2)}, {("METER_MISREAD", 1), ("METER_REGRESSION", 1)}
        assert counted in (corrected, refused)
    spotclaim.demand_sound_chains()
