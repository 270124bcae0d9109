"""A destination that hangs, or asks to be left alone, and those who are notified besides."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from domain.policy.policy import GroupPolicy, NotificationRule
from domain.ports.store import AttemptResult, Message
from tests.builders import a_policy
from tests.integration.notifications.test_deliveries import announce, deliveries
from tests.integration.parts import DELIVERY_THREADS, PATIENCE_SECONDS, Everyone, Spotclaim
from tests.servers.waiting import wait_until
from workers.services.circuit_breaker import CircuitBreaker
from workers.steps.deliver import Deliverer


class Chat(Everyone):
    """Everybody is notified, but for `chat`, which does what `behave` does."""

    def __init__(self, behave: Callable[[], AttemptResult]) -> None:
        super().__init__()
        self.behave = behave

    def send(self, destination: str, message: Message) -> AttemptResult:
        return self.behave() if destination == "chat" else super().send(destination, message)


@pytest.fixture
def released() -> Iterator[Event]:
    """Set at the end, so that no thread stays behind."""
    event = Event()
    yield event
    event.set()


@pytest.fixture
def notifying(set_up: Callable[..., Spotclaim]) -> Callable[[Callable[[], AttemptResult]], Spotclaim]:
    """An installation that notifies of each claim at once, and whose chat behaves so."""
    rules = (NotificationRule("claim.under_review", ("ops", "chat")),)
    groups = GroupPolicy(digest_seconds=0, per_minute=1000)

    def given(behave: Callable[[], AttemptResult]) -> Spotclaim:
        def clock() -> datetime:
            return datetime.now(UTC)

        return set_up(
            policy=a_policy(notifications=rules, pace=groups),
            clock=clock,
            deliver=Deliverer(Chat(behave), CircuitBreaker(DELIVERY_THREADS), clock),
        )

    return given


def pending(spotclaim: Spotclaim) -> list[int]:
    """The deliveries' steps, those to the chat first."""
    return [
        row["id"]
        for row in spotclaim.rows(
            "SELECT s.id FROM steps s JOIN deliveries d ON d.id = s.subject_ids[1] WHERE s.kind = 'deliver'"
            " ORDER BY d.destination, s.id"
        )
    ]


def test_a_destination_that_hangs_delays_nobody(
    notifying: Callable[[Callable[[], AttemptResult]], Spotclaim], released: Event
) -> None:
    """However many messages it is sent, before all others."""

    def hang() -> AttemptResult:
        released.wait(6 * PATIENCE_SECONDS)
        return AttemptResult(False, "unknown: no answer came.", unknown=True)

    spotclaim = notifying(hang)
    for number in range(2 * DELIVERY_THREADS):
        announce(spotclaim, f"E{number}")
        spotclaim.run_now("announce")

    def notified() -> int:
        return sum(row["destination"] == "ops" and row["status"] == "sent" for row in deliveries(spotclaim))

    with ThreadPoolExecutor(DELIVERY_THREADS) as threads:
        steps = [threads.submit(spotclaim.runner.run, "deliver", [step]) for step in pending(spotclaim)]
        try:
            assert wait_until(lambda: notified() == 2 * DELIVERY_THREADS, PATIENCE_SECONDS)
            assert not all(step.done() for step in steps)
        finally:
            released.set()

    waiting = [row for row in deliveries(spotclaim) if row["status"] == "pending"]
    assert len(waiting) == 2 * DELIVERY_THREADS - (DELIVERY_THREADS - 1)
    assert {(row["attempts"], row["answer"]) for row in waiting} == {
        (0, "waits: it takes its time with other messages")
    }


def test_what_a_destination_asks_for_holds_for_all_its_messages(
    notifying: Callable[[Callable[[], AttemptResult]], Spotclaim],
) -> None:
    """The others are not tried, and that is no attempt of theirs."""
    asked = AttemptResult(False, "failure: 429", wait_seconds=90)
    spotclaim = notifying(lambda: asked)
    for number in range(3):
        announce(spotclaim, f"E{number}")
        spotclaim.run_now("announce")
    before = datetime.now(UTC)

    for step in pending(spotclaim):
        spotclaim.runner.run("deliver", [step])

    chat = [row for row in deliveries(spotclaim) if row["destination"] == "chat"]
    assert {row["status"] for row in chat} == {"pending"}
    assert sorted(int(str(row["attempts"])) for row in chat) == [0, 0, 1]
    later = before + timedelta(seconds=89)
    pending_later = sorted(step["kind"] for step in spotclaim.steps() if step["due_at"] > later)
    assert pending_later == ["deliver", "deliver", "retry"]
    assert sum(row["status"] == "sent" for row in deliveries(spotclaim)) == 3
