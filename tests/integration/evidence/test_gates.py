"""The gates of the default policy: no approval without what it demands, and nobody files what is known."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from adapters.policy.reader import load_policy
from domain.claims.decide import Wanted
from domain.errors import Conflict
from domain.ports.store import Identity
from tests.builders import (
    FAULT_TIME,
    PIECES,
    a_claim_under_review,
    a_fault,
    a_piece,
    a_spot,
    a_usage_record,
)
from tests.integration.parts import Spotclaim
from workers.services.decisions import Decide

STRICT = load_policy()
RITA = Identity("rita", "reviewer")


@pytest.fixture
def spotclaim(set_up: Callable[..., Spotclaim]) -> Spotclaim:
    """By the default policy, with a spot that is registered and under warranty."""
    spotclaim = set_up(policy=STRICT)
    spotclaim.take_in(spots=[a_spot(warranty_until=FAULT_TIME.date())])
    return spotclaim


def state_of(spotclaim: Spotclaim) -> tuple[str, list[str]]:
    """The only claim's status, and what its verdict says is insufficient."""
    spotclaim.carry_out()
    [claim] = spotclaim.claims()
    answers = spotclaim.verdict(claim)["answers"]
    return claim["status"], [one["reason"] for one in answers if one["result"] == "insufficient"]


def approve(spotclaim: Spotclaim, claim_id: str) -> None:
    decide = Decide(spotclaim.store, spotclaim.policy, spotclaim.policies, spotclaim.clock, lambda *_: None)
    decide(Wanted(claim_id), "approve", RITA)


def test_what_the_records_show_need_not_be_filed(spotclaim: Spotclaim) -> None:
    """A usage discrepancy with its session goes on to its reviewer, who may approve it."""
    spotclaim.take_in(usage=[a_usage_record(energy_kwh=-3.0)], faults=[a_fault()])

    assert state_of(spotclaim) == ("under_review", [])
    [claim] = spotclaim.claims()
    assert spotclaim.desk.on_file(claim["id"]).missing == []
    approve(spotclaim, claim["id"])


def test_without_records_or_evidence_a_claim_waits(spotclaim: Spotclaim) -> None:
    """A reading completes the evidence; whether usage bears the claim out is another rule."""
    spotclaim.take_in(faults=[a_fault()])
    assert state_of(spotclaim) == ("awaiting_evidence", ["EVIDENCE_MISSING", "USAGE_MISSING"])

    spotclaim.take_in(faults=[a_fault(evidence=[a_piece("meter_reading")])])
    assert state_of(spotclaim) == ("awaiting_evidence", ["USAGE_MISSING"])

    spotclaim.take_in(usage=[a_usage_record(energy_kwh=-3.0)])
    assert state_of(spotclaim) == ("under_review", [])


def test_an_allocation_failure_takes_a_record_around_the_moment(spotclaim: Spotclaim) -> None:
    """Of the spot, within the policy's window."""
    spotclaim.take_in(faults=[a_fault(raw_code="RESERVATION_LOST")])
    assert state_of(spotclaim) == ("awaiting_evidence", ["EVIDENCE_MISSING", "NO_USAGE_KNOWN"])

    day = FAULT_TIME - timedelta(days=1)
    spotclaim.take_in(usage=[a_usage_record(started_at=day, ended_at=day + timedelta(hours=1))])
    assert state_of(spotclaim) == ("under_review", [])


def test_what_is_not_registered_waits(set_up: Callable[..., Spotclaim]) -> None:
    """Until the registration says where the spot is and until when it is under warranty."""
    spotclaim = set_up(policy=STRICT)
    spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    assert state_of(spotclaim) == ("awaiting_evidence", ["SPOT_UNREGISTERED", "WARRANTY_UNKNOWN"])

    spotclaim.take_in(spots=[a_spot(warranty_until=FAULT_TIME.date())])
    assert state_of(spotclaim) == ("under_review", [])


def test_nobody_approves_without_what_is_demanded(spotclaim: Spotclaim) -> None:
    """However the claim came before the reviewer; what is demanded may be filed meanwhile."""
    claim = a_claim_under_review(policy_version=STRICT.version, time_zone="UTC")
    spotclaim.put_on_record(claim)

    with pytest.raises(Conflict, match="not on file: meter_reading or usage_record"):
        approve(spotclaim, claim.id)
    spotclaim.desk.add(claim.id, "photo", who="tess", role="operator", data=PIECES["photo"])
    with pytest.raises(Conflict, match="not on file"):
        approve(spotclaim, claim.id)

    spotclaim.desk.add(claim.id, "meter_reading", who="tess", role="operator", data=PIECES["meter_reading"])
    approve(spotclaim, claim.id)
