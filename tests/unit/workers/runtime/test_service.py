"""The loop of background services: rounds, rests, and outages that are waited out."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from structlog.testing import capture_logs

from domain.backoff import Backoff
from domain.errors import TransientError
from workers.runtime.service import Service


class Waits(Event):
    """An event that is never waited for; it notes how long it would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return self.is_set()


class Rounds(Service):
    """Each round gives the next result; when there is none left, the service is stopped."""

    name = "rounds"
    retry = Backoff(timedelta(seconds=1), timedelta(seconds=5))

    def __init__(self, results: Sequence[int | Exception], stopping: Event) -> None:
        self._results: Iterator[int | Exception] = iter(results)
        self._stopping = stopping
        self.rested: list[int] = []

    def run_once(self) -> int:
        result = next(self._results, None)
        if result is None:
            self._stopping.set()
            return 0
        if isinstance(result, Exception):
            raise result
        return result

    def rest(self, done: int, stopping: Event) -> None:
        if not stopping.is_set():
            self.rested.append(done)


def run(*results: int | Exception) -> tuple[Rounds, list[float | None], list[Any]]:
    """The service afterwards, the pauses after outages, and the log."""
    stopping = Waits()
    service = Rounds(results, stopping)
    with capture_logs() as lines:
        service.run(stopping)
    return service, stopping.seconds, lines


def test_each_round_is_followed_by_its_rest() -> None:
    """How long it is may depend on what was done."""
    service, pauses, lines = run(3, 0, 7)

    assert (service.rested, pauses, lines) == ([3, 0, 7], [], [])


def test_an_outage_is_waited_out_with_growing_pauses() -> None:
    """The next one begins with the shortest again."""
    away = TransientError("PostgreSQL is away")

    service, pauses, lines = run(away, away, away, away, 5, away)

    assert service.rested == [5]
    assert pauses == [1, 2, 4, 5, 1]
    assert lines[0] == {
        "event": "rounds waits",
        "error": "PostgreSQL is away",
        "retry_in": 1,
        "log_level": "warning",
    }


def test_anything_else_ends_it() -> None:
    """A bug is not waited out."""
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError())
