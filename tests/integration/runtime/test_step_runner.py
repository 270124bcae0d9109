"""Carrying out steps: one claim that fails never holds up the others, and repeated messages change nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from domain.changes import Changes
from domain.errors import TransientError
from domain.identifiers import new_claim_id
from domain.ports.store import Transaction
from domain.steps import Step, Verify
from tests.builders import a_claim, a_fault, a_usage_record
from tests.integration.parts import Clock, Spotclaim

FAULTY = "E13"


class Fragile:
    """A verify step with a bug that one spot's claim finds."""

    def __init__(self, spot_id: str = FAULTY) -> None:
        self._spot_id = spot_id
        self.mended = False

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Changes:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.subject_ids])
        for claim in claims:
            if claim.spot_id == self._spot_id and not self.mended:
                raise ZeroDivisionError(f"a bug on {claim.spot_id}")
            claim.zone = "done"
            claim.status = "verifying"
        return Changes(*claims)


@pytest.fixture
def handler() -> Fragile:
    return Fragile()


@pytest.fixture
def fragile(set_up: Callable[..., Spotclaim], handler: Fragile) -> Spotclaim:
    return set_up(verify=handler, clock=Clock(datetime.now(UTC)))


def done(spotclaim: Spotclaim) -> set[str]:
    return {claim["spot_id"] for claim in spotclaim.claims() if claim["status"] == "verifying"}


def let_pauses_pass(spotclaim: Spotclaim) -> None:
    """As if every pause had passed and every lease had ended."""
    spotclaim.rows("UPDATE steps SET due_at = now(), leased_until = NULL")


@pytest.mark.parametrize("together", [True, False], ids=["one step", "a step each"])
def test_the_others_are_done(fragile: Spotclaim, together: bool) -> None:
    """Of thirty claims one fails, whether they were opened together or one by one."""
    faults = [a_fault(spot_id=f"E{number}") for number in range(30)]
    for batch in [faults] if together else [[fault] for fault in faults]:
        fragile.take_in(faults=batch)

    for _ in range(12):
        let_pauses_pass(fragile)
        fragile.carry_out()

    assert done(fragile) == {f"E{number}" for number in range(30)} - {FAULTY}
    [left] = fragile.steps()
    assert len(left["subject_ids"]) == 1


def test_the_others_are_done_without_waiting_for_pauses(fragile: Spotclaim) -> None:
    """Sound claims do not wait for the one that fails, not even a minute."""
    fragile.take_in(faults=[a_fault(spot_id=f"E{number}") for number in range(30)])

    fragile.carry_out()

    assert done(fragile) == {f"E{number}" for number in range(30)} - {FAULTY}


def test_the_one_that_fails_is_tried_again_with_growing_pauses(fragile: Spotclaim) -> None:
    """Five seconds, then twice as long each time, up to an hour; the reason is kept."""
    fragile.take_in(faults=[a_fault(spot_id=FAULTY)])
    pauses = []
    for attempt in range(1, 14):
        fragile.run_now("verify")
        [step] = fragile.steps()
        pauses.append((step["due_at"] - fragile.clock.now).total_seconds())
        assert (step["attempts"], step["leased_until"]) == (attempt, None)
        assert step["last_error"] == f"ZeroDivisionError: a bug on {FAULTY}"

    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]


def test_a_mended_bug_needs_no_hand(fragile: Spotclaim, handler: Fragile) -> None:
    """The step is still pending."""
    fragile.take_in(faults=[a_fault(spot_id=FAULTY)])
    fragile.run_now("verify")

    handler.mended = True
    let_pauses_pass(fragile)
    fragile.carry_out()

    assert (done(fragile), fragile.steps()) == ({FAULTY}, [])


def test_an_outage_is_no_failure_of_the_step(set_up: Callable[..., Spotclaim]) -> None:
    """It stays as it was, without a pause, and goes again after its lease."""

    def away(_transaction: Transaction, _steps: Sequence[Step]) -> Changes:
        raise TransientError("PostgreSQL is away.")

    spotclaim = set_up(verify=away)
    spotclaim.take_in(faults=[a_fault(), a_fault(spot_id="E2")])
    before = spotclaim.steps()

    spotclaim.run_now("verify")

    assert spotclaim.steps() == before


def test_a_claim_goes_through_all_its_steps(spotclaim: Spotclaim) -> None:
    """Verified, routed, announced, delivered: each step's result has its own transaction, each its event."""
    spotclaim.take_in(faults=[a_fault()], usage=[a_usage_record(energy_kwh=-5.0)])

    spotclaim.carry_out()

    [claim] = spotclaim.claims()
    assert (claim["status"], claim["stage"], claim["stages"]) == ("under_review", 1, ["reviewer", "manager"])
    assert [kind for kind, _ in spotclaim.committed] == [
        "verify",
        "detect",
        "route",
        "announce",
        "deliver",
        "notified",
    ]
    assert [event.kind for event in spotclaim.events(claim["id"])] == [
        "claim.opened",
        "claim.verified",
        "claim.routed",
        "claim.announced",
    ]
    assert [title for _, title, _ in spotclaim.notifier.sent] == [
        "METER_MISREAD on spot DE*ABC*E1: under review for the reviewer"
    ]
    assert spotclaim.steps() == []
    spotclaim.demand_sound_chains()


@pytest.mark.parametrize("kind", ["verify", "route", "announce", "deliver"])
def test_a_repeated_message_changes_nothing(spotclaim: Spotclaim, kind: str) -> None:
    """Whichever step's message the broker repeats, before or after the others."""
    spotclaim.take_in(faults=[a_fault()], usage=[a_usage_record(energy_kwh=-5.0)])
    while not any(step["kind"] == kind for step in spotclaim.steps()):
        spotclaim.run_now(spotclaim.steps()[0]["kind"])
    ids = [step["id"] for step in spotclaim.steps()]
    spotclaim.carry_out()
    before, sent = spotclaim.claims(), list(spotclaim.notifier.sent)

    for _ in range(3):
        spotclaim.runner.run(kind, ids)

    assert (spotclaim.claims(), spotclaim.notifier.sent, spotclaim.steps()) == (before, sent, [])


def test_two_pending_steps_for_one_claim_notify_once(spotclaim: Spotclaim) -> None:
    """A claim that waited for two records is verified, routed and announced once."""
    spotclaim.take_in(faults=[a_fault()])
    spotclaim.take_in(usage=[a_usage_record(energy_kwh=-5.0)])
    [claim] = spotclaim.claims()
    spotclaim.record(*(Verify([claim["id"]]) for _ in range(3)))

    for step in spotclaim.steps():
        spotclaim.runner.run("verify", [step["id"]])
    spotclaim.carry_out()

    assert len(spotclaim.notifier.sent) == 1
    spotclaim.demand_sound_chains()


def test_a_claim_that_waits_ends_at_its_deadline(set_up: Callable[..., Spotclaim]) -> None:
    """The step for the deadline is pending from the start, and due then."""
    clock = Clock(datetime.now(UTC))
    spotclaim = set_up(clock=clock)
    spotclaim.take_in(faults=[a_fault(occurred_at=clock.now)])
    spotclaim.carry_out()
    [step] = spotclaim.steps()
    assert step["due_at"] == clock.now + timedelta(hours=spotclaim.policy.evidence_wait_hours)

    clock.now = step["due_at"]
    spotclaim.run_now("verify")

    assert [claim["status"] for claim in spotclaim.claims()] == ["ineligible"]
    assert spotclaim.steps() == []


def test_a_step_whose_claims_are_not_there_is_done(spotclaim: Spotclaim) -> None:
    """Nothing to do is done."""
    spotclaim.put_on_record(a_claim(status="resolved"))
    spotclaim.record(Verify([new_claim_id()]))

    spotclaim.carry_out()

    assert spotclaim.steps() == []
