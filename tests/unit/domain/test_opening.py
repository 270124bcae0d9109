"""Faults meet their claims: one open claim for a spot and a code, however many faults report it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from domain import audit
from domain.claim import Claim
from domain.decision import Decision
from domain.fault import Fault
from domain.opening import meet_claims, open_or_count, submit
from tests.builders import FAULT_TIME, NOW, a_claim, a_clear, a_fault, a_policy, ids


def take_in(faults: Sequence[Fault], *open_claims: Claim) -> Decision:
    known = {(claim.spot_id, claim.code): claim for claim in open_claims}
    return open_or_count(meet_claims(faults, a_policy()), known, a_policy(), NOW, ids().__next__)


def test_a_first_fault_opens_a_claim() -> None:
    """It carries what the fault said, and its severity from the policy; its clocks come with verification."""
    fault = a_fault(connector_id=2, zone="north", affected_user="u-1", reservation_id="r-1", session_id="s-1")

    decision = take_in([fault])

    [claim] = decision.opened
    assert (claim.spot_id, claim.code, claim.claim_type) == ("DE*ABC*E1", "METER_MISREAD", "usage_discrepancy")
    assert (claim.status, claim.severity, claim.policy_version) == ("submitted", "high", a_policy().version)
    assert (claim.time_zone, claim.resolve_due_at) == (None, None)
    assert (claim.connector_id, claim.zone, claim.affected_user) == (2, "north", "u-1")
    assert (claim.reservation_id, claim.session_id) == ("r-1", "s-1")
    assert (claim.opened_at, claim.first_seen_at, claim.last_seen_at) == (NOW, FAULT_TIME, FAULT_TIME)
    assert claim.fault_count == 1


def test_every_stored_fault_names_its_code_and_claim() -> None:
    """Given faults of two codes, each learns which claim it went to."""
    meter, ground = a_fault(), a_fault(raw_code="GROUND_FAILURE")

    decision = take_in([meter, ground])

    by_code = {claim.code: claim.id for claim in decision.opened}
    assert decision.faults == [meter, ground]
    assert (meter.code, meter.claim_id) == ("METER_MISREAD", by_code["METER_MISREAD"])
    assert (ground.code, ground.claim_id) == ("GROUND_FAILURE", by_code["GROUND_FAILURE"])


def test_faults_of_one_spot_and_code_share_a_claim() -> None:
    """Three faults in one batch open one claim that counts three."""
    decision = take_in([a_fault(), a_fault(), a_fault()])

    [claim] = decision.opened
    assert claim.fault_count == 3
    assert [event.kind for event in decision.events] == ["claim.opened"]


@pytest.mark.parametrize("other", [{"spot_id": "DE*ABC*E2"}, {"raw_code": "SPOT_OCCUPIED"}], ids=["spot", "code"])
def test_another_spot_or_code_is_another_claim(other: dict[str, str]) -> None:
    """What sets claims apart is the spot and the code, nothing else."""
    assert len(take_in([a_fault(), a_fault(**other)]).opened) == 2


def test_raw_codes_that_mean_the_same_share_a_claim() -> None:
    """A reset failure and a reader failure are both the controller's."""
    codes = ("ResetFailure", "ReaderFailure")

    decision = take_in([a_fault(taxonomy="ocpp1.6", raw_code=code) for code in codes])

    assert [claim.code for claim in decision.opened] == ["CONTROLLER_FAILURE"]


def test_a_fault_on_an_open_claim_raises_its_count() -> None:
    """Nothing is opened, no step follows, and one audit event says what was counted."""
    claim = a_claim(fault_count=4)
    faults = [a_fault(occurred_at=FAULT_TIME + timedelta(minutes=5)), a_fault()]

    decision = take_in(faults, claim)

    assert (decision.opened, decision.changed, decision.steps) == ([], [claim], [])
    assert (claim.fault_count, claim.last_seen_at) == (6, FAULT_TIME + timedelta(minutes=5))
    assert [event.kind for event in decision.events] == ["claim.faults_counted"]
    assert {fault.claim_id for fault in faults} == {claim.id}


@pytest.mark.parametrize("order", list(permutations([-10, 0, 10])))
def test_first_and_last_seen_do_not_depend_on_the_order(order: tuple[int, ...]) -> None:
    """Messages come late and reordered; the times are those of the faults."""
    faults = [a_fault(occurred_at=FAULT_TIME + timedelta(minutes=minutes)) for minutes in order]

    [claim] = take_in(faults).opened

    assert claim.first_seen_at == FAULT_TIME - timedelta(minutes=10)
    assert claim.last_seen_at == FAULT_TIME + timedelta(minutes=10)


def test_a_late_fault_moves_first_seen_back() -> None:
    """A fault that occurred before the open claim's first one was seen first after all."""
    claim = a_claim()

    take_in([a_fault(occurred_at=FAULT_TIME - timedelta(days=1))], claim)

    assert (claim.first_seen_at, claim.last_seen_at) == (FAULT_TIME - timedelta(days=1), FAULT_TIME)


def test_the_earliest_fault_speaks_for_the_claim() -> None:
    """The claim takes its details from the fault that occurred first, not from the one that came first."""
    late, early = a_fault(zone="late"), a_fault(zone="early", occurred_at=FAULT_TIME - timedelta(minutes=1))

    [claim] = take_in([late, early]).opened

    assert claim.zone == "early"


def test_a_clear_alone_opens_nothing() -> None:
    """It is stored, belongs to no claim, and nobody is sent to look."""
    clear = a_clear()

    decision = take_in([clear])

    assert (decision.opened, decision.changed, decision.events, decision.steps) == ([], [], [], [])
    assert decision.faults == [clear]
    assert clear.claim_id is None


def test_a_clear_is_recorded_and_not_counted() -> None:
    """A clear on an open claim says when the error ended."""
    claim = a_claim(fault_count=2)

    take_in([a_clear(occurred_at=NOW)], claim)

    assert (claim.fault_count, claim.cleared_at, claim.last_seen_at) == (2, NOW, FAULT_TIME)


def test_the_latest_clear_counts() -> None:
    """Clears that come out of order leave the latest of them."""
    claim = a_claim(cleared_at=NOW)

    take_in([a_clear(occurred_at=NOW - timedelta(hours=3)), a_clear(occurred_at=NOW)], claim)

    assert claim.cleared_at == NOW


@pytest.mark.parametrize("clear_first", [False, True])
def test_a_fault_and_its_clear_in_one_batch(clear_first: bool) -> None:
    """The claim opens, counts one, and knows that the error has gone."""
    faults = [a_fault(), a_clear(occurred_at=NOW)]

    [claim] = take_in(faults[::-1] if clear_first else faults).opened

    assert (claim.fault_count, claim.cleared_at) == (1, NOW)


def test_one_step_verifies_all_opened_claims() -> None:
    """Claims that were opened together are verified together."""
    decision = take_in([a_fault(spot_id=f"E{number}") for number in range(30)])

    [step] = decision.steps
    assert (step.kind, step.claim_ids) == ("verify", [claim.id for claim in decision.opened])


def test_the_audit_events_follow_from_nothing() -> None:
    """Opening and later counting make one unbroken chain that says which messages they stand on."""
    first, second = a_fault(), a_fault()
    opening = take_in([first])
    [claim] = opening.opened

    counting = take_in([second], claim)

    events = [*opening.events, *counting.events]
    assert audit.first_broken(events) is None
    assert (claim.version, claim.head) == (2, events[-1].hash)
    assert [first.key in events[0].body, second.key in events[1].body] == [True, True]


def test_the_actor_of_an_opening_is_who_vouches_for_it() -> None:
    """The broker's user or the token's name if there is one, else the source that the message states."""
    vouched = take_in([a_fault(filed_by="controller-7")])
    unvouched = take_in([a_fault()])

    assert vouched.opened[0].filed_by == "controller-7"
    assert [decision.events[0].actor for decision in (vouched, unvouched)] == ["controller-7", "controller:7"]


def test_a_vendors_own_code_means_what_the_policy_says() -> None:
    """What the policy does not map is another error, as before."""
    policy = a_policy(mappings={"vendor:acme": {"E42": "METER_MISREAD"}})
    faults = [a_fault(taxonomy="vendor:acme", raw_code=code) for code in ("E42", "E43")]

    meet_claims(faults, policy)

    assert [fault.code for fault in faults] == ["METER_MISREAD", "OTHER"]


def test_a_fault_that_brings_evidence_has_its_claim_checked_again() -> None:
    """Only one that awaits some: the others have their check owed, or behind them."""
    brought = [{"kind": "photo"}]
    waiting = a_claim(spot_id="E1", status="awaiting_evidence")
    others = [a_claim(spot_id="E2", status="under_review"), a_claim(spot_id="E3"), a_claim(spot_id="E4")]
    others[-1].status = waiting.status
    faults = [a_fault(spot_id=spot, evidence=brought) for spot in ("E1", "E2", "E3")]

    decision = take_in([*faults, a_fault(spot_id="E1"), a_fault(spot_id="E4")], waiting, *others)

    assert [(step.kind, step.claim_ids, step.due_at) for step in decision.steps] == [
        ("verify", [waiting.id], None)
    ]


class TestHoldDown:
    """A fault that clears in time never becomes a claim."""

    def observed(self, *faults: Fault) -> tuple[Decision, Claim]:
        held = replace(a_policy().codes["METER_MISREAD"], hold_down_seconds=300)
        policy = a_policy(codes={**a_policy().codes, "METER_MISREAD": held})
        decision = open_or_count(meet_claims(faults, policy), {}, policy, NOW, ids().__next__)
        return decision, decision.opened[0]

    def test_a_fault_is_observed_first(self) -> None:
        """It is looked at again when its hold-down is over, and not verified before."""
        decision, claim = self.observed(a_fault())

        assert claim.status == "observed"
        assert [(s.kind, s.claim_ids, s.due_at) for s in decision.steps] == [
            ("submit", [claim.id], NOW + timedelta(seconds=300))
        ]

    def test_others_are_verified_at_once(self) -> None:
        """Each code has its own hold-down."""
        decision, _ = self.observed(a_fault(), a_fault(raw_code="SPOT_OCCUPIED"))

        assert [(step.kind, len(step.claim_ids)) for step in decision.steps] == [("verify", 1), ("submit", 1)]

    def test_what_still_stands_is_submitted(self) -> None:
        """And verified."""
        _, claim = self.observed(a_fault())

        decision = submit([claim], NOW)

        assert (claim.status, claim.closed_at) == ("submitted", None)
        assert [(step.kind, step.claim_ids) for step in decision.steps] == [("verify", [claim.id])]
        assert decision.events[0].kind == "claim.submitted"

    def test_what_cleared_lapses(self) -> None:
        """It is closed, so that a new fault is observed anew; nobody is told."""
        _, claim = self.observed(a_fault(), a_clear(occurred_at=FAULT_TIME + timedelta(seconds=1)))

        decision = submit([claim], NOW)

        assert (claim.status, claim.closed_at, decision.steps) == ("withdrawn", NOW, [])
        assert decision.events[0].kind == "claim.lapsed"

    def test_what_came_back_after_its_clear_is_submitted(self) -> None:
        """The last word counts."""
        later = FAULT_TIME + timedelta(seconds=2)
        _, claim = self.observed(
            a_fault(), a_clear(occurred_at=FAULT_TIME + timedelta(seconds=1)), a_fault(occurred_at=later)
        )

        submit([claim], NOW)

        assert claim.status == "submitted"

    def test_a_repeated_step_changes_nothing(self) -> None:
        """A claim that is no longer observed is left alone."""
        assert submit([a_claim(), a_claim(status="under_review")], NOW) == Decision()
