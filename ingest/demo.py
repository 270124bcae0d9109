"""A small fleet that has troubles, so that a newcomer sees claims come to life. Nothing of it is real."""

from threading import Event
from typing import Final

import structlog

from domain.intake import Batch
from domain.ports import Clock, HandOver
from ingest.simulator.cloudevents import CLOUD_EVENTS
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
_FIRST_FAULT: Final = Outage("harbour", _PAST + SECOND, "CONNECTOR_LOCK_FAILURE", spots=1)

log = structlog.get_logger("demo")


def run(hand_over: HandOver, clock: Clock, stopping: Event, seed: int = 7) -> None:
    """Registers the fleet with a week of sessions, then lets it charge and report faults until told to stop."""
    now = milliseconds(clock())
    plan = Plan(seed, _SPOTS, now - _PAST, _YEARS, (_FIRST_FAULT,), _ERRORS, calm=_PAST)
    send(let_out(stream(plan, CLOUD_EVENTS), at_speed(1, now), stopping), hand_over, clock, _tell, door="demo")


def _tell(_group: list[Line], batch: Batch) -> None:
    if batch.spots:
        log.info("demo fleet registered", spots=len(batch.spots))
    for fault in batch.faults:
        if not fault.cleared:
            log.info("fault reported", spot=fault.spot_id, error=fault.raw_code)
