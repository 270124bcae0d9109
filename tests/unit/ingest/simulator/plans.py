"""Streams for the tests, and what intake decodes from them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from domain.field.batch import Batch
from ingest.cloudevents import decode
from ingest.simulator.cloudevents import CLOUD_EVENTS
from ingest.simulator.moments import DAY, milliseconds
from ingest.simulator.reports import Form, Line
from ingest.simulator.stream import Plan, stream

START = milliseconds(datetime.fromisoformat("2026-03-02T00:00:00Z"))
LONG_AFTER = datetime.fromisoformat("2026-08-01T00:00:00Z")


def a_plan(**given: Any) -> Plan:
    """A day of a hundred spots, unless said otherwise."""
    return Plan(**{"seed": 7, "spots": 100, "start": START, "duration": DAY} | given)


def lines(plan: Plan, form: Form = CLOUD_EVENTS) -> list[Line]:
    return list(stream(plan, form))


def events(sent: Iterable[Line]) -> list[dict[str, Any]]:
    return [orjson.loads(line.body) for line in sent]


def ingested(sent: Iterable[Line]) -> Batch:
    """Everything as intake decodes it, long after it happened."""
    batch, reception = Batch(), decode.Reception(LONG_AFTER, "test")
    for line in sent:
        decode.ingest_message(batch, line.body, reception)
    return batch


def ms(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))
