"""How fast a stream is let out."""

import time
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import Final

from ingest.simulator.lines import Line
from ingest.simulator.moments import SECOND

_GROUP: Final = 500
_LOOK_SECONDS: Final = 1.0

Due = Callable[[int, Line], float]
"""When a line of this number, from 0, is due: seconds after the beginning."""


def at_once(_number: int, _line: Line) -> float:
    """As fast as it goes."""
    return 0.0


def at_rate(a_second: float) -> Due:
    """So many lines a second, whatever the simulated time."""
    return lambda number, _: number / a_second


def at_speed(times: float, now: int) -> Due:
    """Simulated time goes so many times as fast as the clock and is at `now` (milliseconds) at the beginning."""
    return lambda _, line: (line.at - now) / SECOND / times


def let_out(
    lines: Iterable[Line],
    due: Due,
    stopping: Event,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[list[Line]]:
    """Groups of what has become due, as soon as anything has, until the lines end or it is time to stop.

    Whoever is slow gets larger groups, up to a few hundred.
    """
    began, group = monotonic(), list[Line]()
    for number, line in enumerate(lines):
        moment = began + due(number, line)
        if group and (len(group) == _GROUP or moment > monotonic()):
            yield group
            group = []
        if not _await(moment, stopping, monotonic):
            return
        group.append(line)
    if group:
        yield group


def _await(moment: float, stopping: Event, monotonic: Callable[[], float]) -> bool:
    """Waits for the moment; false if it is time to stop first."""
    while (left := moment - monotonic()) > 0:
        if stopping.wait(min(left, _LOOK_SECONDS)):
            return False
    return not stopping.is_set()
