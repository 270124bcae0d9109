"""Cuts off delivery attempts that exceed their time limit, all from one thread.

Apprise's own time-outs use a handful of threads that the whole process shares, so destinations that hang would
delay all others.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import structlog

from adapters.apprise.attempt import Attempt

log = structlog.get_logger("announce")

# An attempt may exceed its limit by this much.
_LOOK_SECONDS = 0.5


class AttemptLimit:
    """Enforces a time limit on attempts; one that exceeds it loses its connection."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._numbers = count()
        self._running: dict[int, tuple[float, Attempt]] = {}
        self._begun = threading.Condition()
        self._watcher: threading.Thread | None = None

    @contextmanager
    def on(self, attempt: Attempt) -> Iterator[None]:
        """Limits the attempt for the duration of the block."""
        number = next(self._numbers)
        with self._begun:
            self._running[number] = time.monotonic() + self._seconds, attempt
            self._begun.notify()
        try:
            self._have_them_watched()
            yield
        finally:
            with self._begun:
                del self._running[number]

    def _have_them_watched(self) -> None:
        with self._begun:
            if self._watcher is None or not self._watcher.is_alive():
                self._watcher = threading.Thread(target=self._watch, name="attempt limit", daemon=True)
                self._watcher.start()

    def _watch(self) -> None:
        while True:
            with self._begun:
                self._begun.wait_for(lambda: self._running)
                now = time.monotonic()
                late = [attempt for until, attempt in self._running.values() if now > until]
            for attempt in late:
                try:
                    attempt.cut()
                except Exception:
                    log.exception("attempt not cut off")
            time.sleep(_LOOK_SECONDS)
