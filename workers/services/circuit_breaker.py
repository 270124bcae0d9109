"""Lets messages through to destinations, so that one that hangs holds up no other."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Condition
from typing import NamedTuple

from domain.ports.store import Outcome

# An attempt that takes longer than this and comes to nothing has held a thread for nothing.
HANGING_SECONDS = 5.0
# For so long a thread waits for another to be done with the same destination, unless that one takes its time.
_TURN_SECONDS = 0.25
_SLOW_SECONDS = 1.0
_AGAIN_SOON = timedelta(seconds=2)
_PROBED = timedelta(seconds=10)
_FIRST_REST, _LONGEST_REST = timedelta(seconds=10), timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=1)


class Held(NamedTuple):
    """When to come again, and why not now."""

    until: datetime
    why: str


@dataclass(slots=True)
class _Destination:
    # When the messages that are under way began.
    began: list[float] = field(default_factory=list)
    hung: int = 0
    rests_until: datetime | None = None
    why: str = ""


class Gate:
    """What this process saw of each destination; it is lost with the process, and nothing with it.

    - One thread at least is kept for other destinations.
    - One that hangs is left alone for a while, twice as long each time; then one message tries it.
    - One that asks to be left alone (`Retry-After`) is sent no other message either until then.
    """

    def __init__(self, threads: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = max(1, threads - 1)
        self._monotonic = monotonic
        self._known: dict[str, _Destination] = {}
        self._changed = Condition()

    def enter(self, destination: str, now: datetime) -> float | Held:
        """Lets one message through, with the moment that is given back to `leave`, or says when to come again."""
        with self._changed:
            there = self._known.setdefault(destination, _Destination())
            self._changed.wait_for(lambda: len(there.began) < self._most or self._slow(there), _TURN_SECONDS)
            held = self._held(there, now)
            if held is not None:
                return held
            there.began.append(began := self._monotonic())
            return began

    def leave(self, destination: str, began: float, outcome: Outcome | None, now: datetime) -> None:
        """The message is through, or came to nothing; None for an attempt that broke off by itself."""
        with self._changed:
            there = self._known[destination]
            there.began.remove(began)
            if outcome is not None:
                hung = not outcome.sent and self._monotonic() - began >= HANGING_SECONDS
                self._learn(there, outcome, now, hung=hung)
            self._changed.notify_all()

    def _slow(self, there: _Destination) -> bool:
        return self._monotonic() - min(there.began) >= _SLOW_SECONDS

    def _held(self, there: _Destination, now: datetime) -> Held | None:
        if there.rests_until is not None and now < there.rests_until:
            return Held(there.rests_until, there.why)
        if there.hung and there.began:
            return Held(now + _PROBED, "another message tries whether it answers again")
        if len(there.began) >= self._most:
            return Held(now + _AGAIN_SOON, "it takes its time with other messages")
        return None

    def _learn(self, there: _Destination, outcome: Outcome, now: datetime, *, hung: bool) -> None:
        if outcome.wait_seconds:
            wait = min(timedelta(seconds=outcome.wait_seconds), _LONGEST_WAIT)
            there.rests_until, there.why = now + wait, "it asked to be left alone"
        elif hung:
            rest = min(_FIRST_REST * 2 ** min(there.hung, 10), _LONGEST_REST)
            there.rests_until, there.why = now + rest, "it did not answer lately"
        there.hung = there.hung + 1 if hung else 0
