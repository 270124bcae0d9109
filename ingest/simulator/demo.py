"""A small invented fleet with frequent faults, so that a newcomer sees claims."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event
from typing import Final

import structlog

from domain.field.batch import Batch
from domain.ports.store import Clock, DeliverBatch
from ingest.simulator.cloudevents import CLOUD_EVENTS, SPOTS_REGISTERED
from ingest.simulator.moments import DAY, SECOND, milliseconds
from ingest.simulator.outages import Outage
from ingest.simulator.pace import at_speed, let_out, send
from ingest.simulator.reports import Line
from ingest.simulator.stream import Plan, stream

_SPOTS: Final = 16
# An error every few minutes, dozens of times the rate of a real fleet of this size; and some at the start, so that
# a newcomer has something to look at. With a higher rate every error would be an incident.
_ERRORS: Final = 60
_FIRST_ERRORS: Final = (
    *("CONNECTOR_LOCK_FAILURE", "SPOT_OCCUPIED", "METER_UNREADABLE", "GROUND_FAILURE"),
    *("RESERVATION_REJECTED", "CONTROLLER_FAILURE", "COMMUNICATION_FAILURE", "OVER_TEMPERATURE"),
)
_APART: Final = 10 * SECOND
_PAST: Final = 7 * DAY
_YEARS: Final = 3650 * DAY

log = structlog.get_logger("demo")


def run(deliver_batch: DeliverBatch, clock: Clock, stopping: Event, seed: int = 1) -> None:
    """Registers the fleet with a week of sessions, then reports live until stopped."""
    now = milliseconds(clock())
    lines = let_out(_from_a_week_ago(seed, now), at_speed(1, now), stopping)
    send(lines, deliver_batch, clock, _log_group, endpoint="demo")


def _from_a_week_ago(seed: int, now: int) -> Iterator[Line]:
    """Yields the stream from a week ago on.

    The fleet charges from New Year on, so that a demo that is started again has the same sessions as before, and
    not others on the same meters. Its errors begin now.
    """
    start = milliseconds(datetime(datetime.fromtimestamp((now - _PAST) // SECOND, UTC).year, 1, 1, tzinfo=UTC))
    first_faults = tuple(
        Outage(("harbour", "station-square")[number % 2], now - start + SECOND + number * _APART, code, spots=1)
        for number, code in enumerate(_FIRST_ERRORS)
    )
    plan = Plan(seed, _SPOTS, start, _YEARS, first_faults, _ERRORS, calm=now - start)
    lines = stream(plan, CLOUD_EVENTS)
    return (line for line in lines if line.at >= now - _PAST or line.kind == SPOTS_REGISTERED)


def _log_group(_group: list[Line], batch: Batch) -> None:
    if batch.spots:
        log.info("demo fleet registered", spots=len(batch.spots))
    for fault in batch.faults:
        if not fault.cleared:
            log.info("fault reported", spot=fault.spot_id, error=fault.raw_code)
