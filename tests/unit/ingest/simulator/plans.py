"""Streams for the tests, and what the doors understand of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from domain.field.batch import Batch
from ingest.cloudevents import decode as wire
from ingest.simulator.cloudevents import CLOUD_EVENTS
from ingest.simulator.lines import Form, Line
from ingest.simulator.moments import DAY, milliseconds
from ingest.simulator.stream import Plan, stream

START = milliseconds(datetime.fromisoformat("2026-03-02T00:00:00Z"))
LONG_AFTER = datetime.fromisoformat("2026-08-01T00:00:00Z")


def a_plan(**given: Any) -> Plan:
    """A day of a hundred spots, unless said otherwise."""
    return Plan(**{"seed": 7, "spots": 100, "start": START, "duration": DAY} | given)


def lines(plan: Plan, form: Form = CLOUD_EVENTS) -> list[Line]:
    return list(stream(plan, form))


def events(told: Iterable[Line]) -> list[dict[str, Any]]:
    return [orjson.loads(line.body) for line in told]


def taken_in(told: Iterable[Line]) -> Batch:
    """Everything as the doors read it, long after it happened."""
    batch, reception = Batch(), wire.Reception(LONG_AFTER, "test")
    for line in told:
        wire.take_in(batch, line.body, reception)
    return batch


def ms(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))
