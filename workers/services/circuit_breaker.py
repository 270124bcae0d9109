"""Circuit breaker and concurrency limit per destination.

One that hangs holds up no other.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Condition
from typing import NamedTuple

from domain.backoff import Backoff
from domain.ports.store import AttemptResult

# A failed attempt that takes longer than this counts as hanging.
HANGING_SECONDS = 5.0
# How long a thread waits for another that sends to the same destination, unless that one is slow.
_TURN_SECONDS = 0.25
_SLOW_SECONDS = 1.0
_AGAIN_SOON = timedelta(seconds=2)
_PROBED = timedelta(seconds=10)
_RESTS = Backoff(timedelta(seconds=10), timedelta(minutes=5))
_LONGEST_WAIT = timedelta(hours=1)


class Deferred(NamedTuple):
    """When to try again, and why not now."""

    until: datetime
    why: str


@dataclass(slots=True)
class _Destination:
    # When the messages that are under way began.
    began: list[float] = field(default_factory=list)
    hung: int = 0
    rests_until: datetime | None = None
    why: str = ""


class CircuitBreaker:
    """Limits the messages to each destination by how it answered this process.

    The state is lost with the process, which does no harm.

    - One thread at least is kept for other destinations.
    - One that hangs is left alone for a while, twice as long each time; then one message probes it.
    - One that asks to be left alone (`Retry-After`) is sent no other message either until then.
    """

    def __init__(self, threads: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = max(1, threads - 1)
        self._monotonic = monotonic
        self._known: dict[str, _Destination] = {}
        self._changed = Condition()

    def enter(self, destination: str, now: datetime) -> float | Deferred:
        """Lets one message through, or defers it.

        The moment that it returns is to be given back to `leave`.
        """
        with self._changed:
            there = self._known.setdefault(destination, _Destination())
            self._changed.wait_for(lambda: len(there.began) < self._most or self._slow(there), _TURN_SECONDS)
            deferred = self._deferred(there, now)
            if deferred is not None:
                return deferred
            there.began.append(began := self._monotonic())
            return began

    def leave(self, destination: str, began: float, outcome: AttemptResult | None, now: datetime) -> None:
        """Ends an attempt; its outcome is None if it broke off by itself."""
        with self._changed:
            there = self._known[destination]
            there.began.remove(began)
            if outcome is not None:
                hung = not outcome.sent and self._monotonic() - began >= HANGING_SECONDS
                self._learn(there, outcome, now, hung=hung)
            self._changed.notify_all()

    def _slow(self, there: _Destination) -> bool:
        return self._monotonic() - min(there.began) >= _SLOW_SECONDS

    def _deferred(self, there: _Destination, now: datetime) -> Deferred | None:
        if there.rests_until is not None and now < there.rests_until:
            return Deferred(there.rests_until, there.why)
        if there.hung and there.began:
            return Deferred(now + _PROBED, "another message tries whether it answers again")
        if len(there.began) >= self._most:
            return Deferred(now + _AGAIN_SOON, "it takes its time with other messages")
        return None

    def _learn(self, there: _Destination, outcome: AttemptResult, now: datetime, *, hung: bool) -> None:
        if outcome.wait_seconds:
            wait = min(timedelta(seconds=outcome.wait_seconds), _LONGEST_WAIT)
            there.rests_until, there.why = now + wait, "it asked to be left alone"
        elif hung:
            rest = _RESTS.after(there.hung + 1)
            there.rests_until, there.why = now + rest, "it did not answer lately"
        there.hung = there.hung + 1 if hung else 0
