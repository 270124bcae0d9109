"""The circuit breaker: a destination that hangs, or asks to be left alone, holds up no other."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.ports.store import AttemptResult
from workers.services.circuit_breaker import HANGING_SECONDS, CircuitBreaker, Deferred

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SENT = AttemptResult(True, "delivered")
REFUSED = AttemptResult(False, "failure: 500")
LOST = AttemptResult(False, "unknown: no answer came.", unknown=True)


class Time:
    """A monotonic clock that goes on when somebody moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(time: Time) -> CircuitBreaker:
    return CircuitBreaker(3, time)


def an_attempt(
    breaker: CircuitBreaker, time: Time, outcome: AttemptResult, seconds: float = 0, now: datetime = NOW
) -> Deferred | None:
    entered = breaker.enter("mail", now)
    if isinstance(entered, Deferred):
        return entered
    time.now += seconds
    breaker.leave("mail", entered, outcome, now)
    return None


def let_through(breaker: CircuitBreaker, destination: str = "mail", now: datetime = NOW) -> float:
    entered = breaker.enter(destination, now)
    assert not isinstance(entered, Deferred)
    return entered


def test_messages_go_through_one_after_the_other(breaker: CircuitBreaker, time: Time) -> None:
    """Whatever the destination answers, as long as it answers."""
    assert [an_attempt(breaker, time, outcome) for outcome in (SENT, REFUSED, REFUSED, SENT)] == [None] * 4


def test_one_thread_is_kept_for_others(breaker: CircuitBreaker) -> None:
    """Of three, two may be busy with one destination."""
    let_through(breaker)
    let_through(breaker)

    deferred = breaker.enter("mail", NOW)

    assert isinstance(deferred, Deferred) and deferred.until > NOW
    let_through(breaker, "chat")


def test_a_thread_that_is_done_makes_room(breaker: CircuitBreaker) -> None:
    """At once."""
    let_through(breaker)
    breaker.leave("mail", let_through(breaker), SENT, NOW)

    let_through(breaker)


def test_one_that_hung_is_left_alone_for_longer_each_time(breaker: CircuitBreaker, time: Time) -> None:
    """A message is through again when it answers."""
    an_attempt(breaker, time, LOST, HANGING_SECONDS)
    first = an_attempt(breaker, time, SENT)
    assert first is not None
    an_attempt(breaker, time, LOST, HANGING_SECONDS, first.until)
    second = an_attempt(breaker, time, SENT, now=first.until)
    assert second is not None

    assert second.until - first.until == 2 * (first.until - NOW)
    assert an_attempt(breaker, time, SENT, now=second.until) is None
    assert an_attempt(breaker, time, SENT, now=second.until) is None


def test_one_message_tries_one_that_hung(breaker: CircuitBreaker, time: Time) -> None:
    """The others wait for what comes of it."""
    an_attempt(breaker, time, LOST, HANGING_SECONDS)
    later = NOW + timedelta(hours=1)
    let_through(breaker, now=later)

    deferred = breaker.enter("mail", later)

    assert isinstance(deferred, Deferred) and "tries" in deferred.why


def test_one_that_asks_for_it_is_left_alone(breaker: CircuitBreaker, time: Time) -> None:
    """No other message is sent to it either."""
    an_attempt(breaker, time, AttemptResult(False, "failure: 429", wait_seconds=90))

    deferred = an_attempt(breaker, time, SENT, now=NOW + timedelta(seconds=89))

    assert deferred is not None and deferred.until == NOW + timedelta(seconds=90)
    assert an_attempt(breaker, time, SENT, now=deferred.until) is None


def test_an_attempt_that_broke_off_leaves_the_breaker(breaker: CircuitBreaker) -> None:
    """It says nothing of the destination."""
    for _ in range(3):
        breaker.leave("mail", let_through(breaker), None, NOW)
