"""A small fleet that has troubles, so that a newcomer sees claims come to life. Nothing of it is real."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event
from typing import Final

import structlog

from domain.intake import Batch
from domain.ports import Clock, HandOver
from ingest.simulator.cloudevents import CLOUD_EVENTS, SPOTS_REGISTERED
from ingest.simulator.lines import Line
from ingest.simulator.live import send
from ingest.simulator.moments import DAY, SECOND, milliseconds
from ingest.simulator.outages import Outage
from ingest.simulator.pace import at_speed, let_out
from ingest.simulator.stream import Plan, stream

_SPOTS: Final = 16
# A fault every few seconds, which is thousands of times as often as in a real fleet of this size.
_ERRORS: Final = 6000
_PAST: Final = 7 * DAY
_YEARS: Final = 3650 * DAY

log = structlog.get_logger("demo")


def run(hand_over: HandOver, clock: Clock, stopping: Event, seed: int = 1) -> None:
    """Registers the fleet with a week of sessions, then lets it charge and report faults until told to stop."""
    now = milliseconds(clock())
    lines = let_out(_from_a_week_ago(seed, now), at_speed(1, now), stopping)
    send(lines, hand_over, clock, _tell, door="demo")


def _from_a_week_ago(seed: int, now: int) -> Iterator[Line]:
    """The fleet charges from New Year on, so that whoever starts the demo again sees the same sessions as before,
    and not others on the same meters. Its errors begin now."""
    start = milliseconds(datetime(datetime.fromtimestamp((now - _PAST) // SECOND, UTC).year, 1, 1, tzinfo=UTC))
    first_fault = Outage("harbour", now - start + SECOND, "CONNECTOR_LOCK_FAILURE", spots=1)
    plan = Plan(seed, _SPOTS, start, _YEARS, (first_fault,), _ERRORS, calm=now - start)
    lines = stream(plan, CLOUD_EVENTS)
    return (line for line in lines if line.at >= now - _PAST or line.kind == SPOTS_REGISTERED)


def _tell(_group: list[Line], batch: Batch) -> None:
    if batch.spots:
        log.info("demo fleet registered", spots=len(batch.spots))
    for fault in batch.faults:
        if not fault.cleared:
            log.info("fault reported", spot=fault.spot_id, error=fault.raw_code)
