"""The queue of pending steps: who may take which step, and when."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine

from adapters.postgres.steps.queue import StepQueue
from domain.changes import Changes, DoneStep
from domain.identifiers import new_claim_id
from domain.steps import (
    INCIDENT,
    Announce,
    CheckClocks,
    Deliver,
    Detect,
    Escalate,
    RecordNotified,
    Remind,
    Retry,
    Route,
    SendDigest,
    SettleIncident,
    Step,
    Submit,
    Verify,
)
from tests.integration.parts import PATIENCE_SECONDS, Spotclaim


def now() -> datetime:
    """The database's clock decides what is due."""
    return datetime.now(UTC)


def schedule(spotclaim: Spotclaim, *due: timedelta, kind: type[Step] = Verify, size: int = 1) -> list[int]:
    before = {step["id"] for step in spotclaim.steps()}
    for pause in due:
        spotclaim.record(kind([new_claim_id() for _ in range(size)], due_at=now() + pause))
    return [step["id"] for step in spotclaim.steps() if step["id"] not in before]


AT_ONCE = timedelta(seconds=-1)
LATER = timedelta(hours=1)


def leased(queue: StepQueue, limit: int = 100) -> list[int]:
    return [step.id for step in queue.lease(limit)]


def expire(spotclaim: Spotclaim) -> None:
    """As if the lease's time had passed."""
    spotclaim.rows("UPDATE steps SET leased_until = now() - interval '1 second' WHERE leased_until IS NOT NULL")


def test_what_is_due_is_leased_with_its_size(spotclaim: Spotclaim) -> None:
    """The relay packs messages by it."""
    [number] = schedule(spotclaim, AT_ONCE, kind=Route, size=7)

    [step] = spotclaim.queue.lease(100)

    assert (step.id, step.kind, step.size) == (number, "route", 7)


def test_a_step_without_a_time_is_due_at_once(spotclaim: Spotclaim) -> None:
    """Most are."""
    spotclaim.record(Verify([new_claim_id()]))

    assert len(spotclaim.queue.lease(100)) == 1


def test_what_is_not_due_waits(spotclaim: Spotclaim) -> None:
    """Deadlines and retries are rows like any other."""
    schedule(spotclaim, LATER)

    assert (leased(spotclaim.queue), spotclaim.queue.due()) == ([], 0)


def test_the_longest_due_goes_first(spotclaim: Spotclaim) -> None:
    """Up to the limit."""
    youngest, oldest, middle = schedule(spotclaim, *(timedelta(minutes=-minutes) for minutes in (1, 3, 2)))

    assert leased(spotclaim.queue, 2) == [oldest, middle]
    assert leased(spotclaim.queue, 2) == [youngest]


def test_a_leased_step_is_not_sent_again(spotclaim: Spotclaim) -> None:
    """While its message is on the way."""
    schedule(spotclaim, AT_ONCE, AT_ONCE)
    assert len(leased(spotclaim.queue)) == 2

    assert (leased(spotclaim.queue), spotclaim.queue.leased(), spotclaim.queue.due()) == ([], 2, 2)


def test_a_step_whose_message_was_lost_goes_again(spotclaim: Spotclaim) -> None:
    """After its lease."""
    [number] = schedule(spotclaim, AT_ONCE)
    leased(spotclaim.queue)

    expire(spotclaim)

    assert leased(spotclaim.queue) == [number]


def test_a_released_step_goes_again_at_once(spotclaim: Spotclaim) -> None:
    """Its message could not be sent; the others' leases stay."""
    first, second = schedule(spotclaim, AT_ONCE, AT_ONCE)
    leased(spotclaim.queue)

    spotclaim.queue.release([second])

    assert leased(spotclaim.queue) == [second]
    spotclaim.queue.release_all()
    assert leased(spotclaim.queue) == [first, second]


def test_two_relays_never_lease_the_same_step(spotclaim: Spotclaim, engine: Engine) -> None:
    """Four of them, all at once, until nothing is left."""
    spotclaim.record(*(Verify([new_claim_id()], due_at=now() + AT_ONCE) for _ in range(1000)))
    start = Barrier(4)

    def lease_all(_: int) -> list[int]:
        queue, mine = StepQueue(engine, 60), []
        start.wait()
        while some := leased(queue, 17):
            mine += some
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = [number for mine in pool.map(lease_all, range(4)) for number in mine]

    assert sorted(taken) == [step["id"] for step in spotclaim.steps()]


def test_a_leased_step_is_free_for_its_worker(spotclaim: Spotclaim, engine: Engine) -> None:
    """While other relays look: what a worker finds held waits for the end of its lease."""
    spotclaim.record(*(Verify([new_claim_id()], due_at=now() + AT_ONCE) for _ in range(2000)))
    start = Barrier(8)

    def lease_and_take(_: int) -> int:
        queue, missed = StepQueue(engine, 60), 0
        start.wait(PATIENCE_SECONDS)
        while mine := leased(queue, 20):
            with spotclaim.store.transaction() as transaction:
                missed += len(mine) - len(transaction.take_steps("verify", mine))
        return missed

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lease_and_take, range(8))) == 0


def test_a_step_that_a_worker_holds_is_left_alone(spotclaim: Spotclaim) -> None:
    """By relays and by other workers; nobody waits for it."""
    held, free = schedule(spotclaim, AT_ONCE, AT_ONCE)

    with spotclaim.store.transaction() as working:
        assert [step.id for step in working.take_steps("verify", [held])] == [held]
        assert leased(spotclaim.queue) == [free]
        with spotclaim.store.transaction() as other:
            assert [step.id for step in other.take_steps("verify", [held, free])] == [free]


def test_only_steps_of_the_kind_are_taken(spotclaim: Spotclaim) -> None:
    """A message in the wrong queue carries out nothing."""
    [number] = schedule(spotclaim, AT_ONCE)

    with spotclaim.store.transaction() as transaction:
        assert transaction.take_steps("route", [number]) == []


_IDS = [new_claim_id() for _ in range(3)]


@pytest.mark.parametrize(
    "step",
    [
        Submit(_IDS),
        Verify(_IDS),
        Detect(_IDS),
        Route(_IDS),
        Escalate(_IDS, "under_review:1"),
        CheckClocks(_IDS, 2),
        SettleIncident(_IDS),
        Announce(_IDS, state_key="approved:0"),
        Announce(_IDS, subject_kind=INCIDENT, event="incident.opened"),
        Remind(_IDS, "repeat", "incident.grew 8", "ops", subject_kind=INCIDENT),
        SendDigest(_IDS),
        Deliver(_IDS, "chat|night 'shift'"),
        Retry(_IDS),
        RecordNotified(_IDS, new_claim_id(), subject_kind=INCIDENT),
    ],
    ids=lambda step: step.kind,
)
def test_a_step_comes_back_as_it_was_scheduled(spotclaim: Spotclaim, step: Step) -> None:
    """Its subjects in order, what only its kind has, its time, and how often it failed."""
    step = replace(step, due_at=now().replace(microsecond=0), attempts=2)
    spotclaim.record(step)
    [step.id] = [row["id"] for row in spotclaim.rows("SELECT id FROM steps")]

    with spotclaim.store.transaction() as transaction:
        assert transaction.take_steps(step.kind, [step.id]) == [step]


@pytest.mark.parametrize("commit", [True, False])
def test_a_step_is_done_when_its_result_is_recorded(spotclaim: Spotclaim, commit: bool) -> None:
    """The same transaction removes the row; one that fails leaves it pending."""
    [number] = schedule(spotclaim, AT_ONCE)

    try:
        with spotclaim.store.transaction() as transaction:
            transaction.take_steps("verify", [number])
            transaction.record(Changes(DoneStep(number)))
            if not commit:
                raise RuntimeError("the worker dies here")
    except RuntimeError:
        pass

    assert [step["id"] for step in spotclaim.steps()] == ([] if commit else [number])
