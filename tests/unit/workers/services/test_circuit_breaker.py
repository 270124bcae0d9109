"""The gate: a destination that hangs, or asks to be left alone, holds up no other."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.ports.store import Outcome
from workers.services.circuit_breaker import HANGING_SECONDS, Gate, Held

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SENT = Outcome(True, "delivered")
REFUSED = Outcome(False, "failure: 500")
LOST = Outcome(False, "unknown: no answer came.", unknown=True)


class Time:
    """A monotonic clock that goes on when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def gate(time: Time) -> Gate:
    return Gate(3, time)


def an_attempt(gate: Gate, time: Time, outcome: Outcome, seconds: float = 0, now: datetime = NOW) -> Held | None:
    entered = gate.enter("mail", now)
    if isinstance(entered, Held):
        return entered
    time.now += seconds
    gate.leave("mail", entered, outcome, now)
    return None


def let_through(gate: Gate, destination: str = "mail", now: datetime = NOW) -> float:
    entered = gate.enter(destination, now)
    assert not isinstance(entered, Held)
    return entered


def test_messages_go_through_one_after_the_other(gate: Gate, time: Time) -> None:
    """Whatever the destination answers, as long as it answers."""
    assert [an_attempt(gate, time, outcome) for outcome in (SENT, REFUSED, REFUSED, SENT)] == [None] * 4


def test_one_thread_is_kept_for_others(gate: Gate) -> None:
    """Of three, two may be busy with one destination."""
    let_through(gate)
    let_through(gate)

    held = gate.enter("mail", NOW)

    assert isinstance(held, Held) and held.until > NOW
    let_through(gate, "chat")


def test_a_thread_that_is_done_makes_room(gate: Gate) -> None:
    """At once."""
    let_through(gate)
    gate.leave("mail", let_through(gate), SENT, NOW)

    let_through(gate)


def test_one_that_hung_is_left_alone_for_longer_each_time(gate: Gate, time: Time) -> None:
    """A message is through again when it answers."""
    an_attempt(gate, time, LOST, HANGING_SECONDS)
    first = an_attempt(gate, time, SENT)
    assert first is not None
    an_attempt(gate, time, LOST, HANGING_SECONDS, first.until)
    second = an_attempt(gate, time, SENT, now=first.until)
    assert second is not None

    assert second.until - first.until == 2 * (first.until - NOW)
    assert an_attempt(gate, time, SENT, now=second.until) is None
    assert an_attempt(gate, time, SENT, now=second.until) is None


def test_one_message_tries_one_that_hung(gate: Gate, time: Time) -> None:
    """The others wait for what comes of it."""
    an_attempt(gate, time, LOST, HANGING_SECONDS)
    later = NOW + timedelta(hours=1)
    let_through(gate, now=later)

    held = gate.enter("mail", later)

    assert isinstance(held, Held) and "tries" in held.why


def test_one_that_asks_for_it_is_left_alone(gate: Gate, time: Time) -> None:
    """No other message is sent to it either."""
    an_attempt(gate, time, Outcome(False, "failure: 429", wait_seconds=90))

    held = an_attempt(gate, time, SENT, now=NOW + timedelta(seconds=89))

    assert held is not None and held.until == NOW + timedelta(seconds=90)
    assert an_attempt(gate, time, SENT, now=held.until) is None


def test_an_attempt_that_broke_off_leaves_the_gate(gate: Gate) -> None:
    """It says nothing of the destination."""
    for _ in range(3):
        gate.leave("mail", let_through(gate), None, NOW)
