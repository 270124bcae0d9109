"""Paces a stream, and sends it into the running system."""

import time
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import Final

from domain.field.batch import Batch
from domain.ports.store import Clock, DeliverBatch
from ingest.cloudevents import decode
from ingest.simulator.moments import SECOND
from ingest.simulator.reports import Line

_GROUP: Final = 500
_LOOK_SECONDS: Final = 1.0

Due = Callable[[int, Line], float]
"""Returns when the line with this index, from 0, is due: seconds after the start."""


def at_once(_number: int, _line: Line) -> float:
    """Releases lines without waiting."""
    return 0.0


def at_rate(a_second: float) -> Due:
    """Releases so many lines per second, whatever the simulated time."""
    return lambda number, _: number / a_second


def at_speed(times: float, now: int) -> Due:
    """Releases lines as simulated time passes, `times` as fast as the clock.

    It is at `now` (milliseconds) at the beginning.
    """
    return lambda _, line: (line.at - now) / SECOND / times


def let_out(
    lines: Iterable[Line],
    due: Due,
    stopping: Event,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[list[Line]]:
    """Yields groups of lines as soon as they are due.

    It ends with the lines, or when stopped. A slow consumer gets larger groups, up to a few hundred.
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


def send(
    groups: Iterable[list[Line]],
    deliver_batch: DeliverBatch,
    clock: Clock,
    sent: Callable[[list[Line], Batch], None],
    endpoint: str = "simulate",
) -> None:
    """Delivers groups of CloudEvents as batches, calling `sent` for each when it is durable.

    Raises what `deliver_batch` raises.
    """
    for group in groups:
        batch, reception = Batch(), decode.Reception(clock(), endpoint)
        for line in group:
            decode.ingest_message(batch, line.body, reception)
        deliver_batch(batch)
        sent(group, batch)


def _await(moment: float, stopping: Event, monotonic: Callable[[], float]) -> bool:
    """Waits for a moment; returns False if it was stopped first."""
    while (left := moment - monotonic()) > 0:
        if stopping.wait(min(left, _LOOK_SECONDS)):
            return False
    return not stopping.is_set()
