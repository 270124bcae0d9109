"""Decode: what it takes to decode and validate one typical fault message, in this process, one core.

`wire.ingest_message` over different messages, in batches of 500 as the consumer makes them; the median of eleven
rounds.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median

from domain.field.batch import Batch
from ingest.cloudevents import decode as wire
from tests.benchmarks.intake import loads
from tests.benchmarks.report import Row, ceiling_row
from tests.benchmarks.scale import Scale

_ROUNDS = 11
_BATCH = 500


def measure(scale: Scale) -> Iterator[Row]:
    """Microseconds a message."""
    bodies = list(loads.new_spots(scale.decode_messages))
    mean_size = sum(map(len, bodies)) / len(bodies)
    microseconds = median(_round(bodies) for _ in range(_ROUNDS))
    yield ceiling_row("decode", f"one fault of {mean_size:.0f} bytes", microseconds, "µs", at_most=15)


def _round(bodies: list[bytes]) -> float:
    reception = wire.Reception(datetime.now(UTC), "rabbitmq", "controller")
    began = time.perf_counter()
    for begin in range(0, len(bodies), _BATCH):
        batch, group = Batch(), bodies[begin : begin + _BATCH]
        for body in group:
            wire.ingest_message(batch, body, reception)
        if len(batch.faults) != len(group):
            raise ValueError(f"Not every message of the load is valid: {batch.quarantined[0].sentence}")
    return (time.perf_counter() - began) / len(bodies) * 1e6
