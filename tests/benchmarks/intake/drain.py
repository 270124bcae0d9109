"""Drain: claims a second from opened to routed, and on until announced.

Faults are taken in while no relay runs, so every claim stops at its first step. Their spots are registered and
each gets the usage record that bears its claim out (through the store, as a worker would). Then the worker is
started, and the relay; the clock runs from the relay's first word until the last claim is under review, and until
the last is announced (to the log); nothing is gathered for digests, which would wait, and no incident tells of its
claims.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from adapters.postgres.engine import connect
from adapters.postgres.store import PostgresStore
from domain.field.batch import Batch
from ingest.cloudevents import decode as wire
from tests.benchmarks.corner import Corner, fresh_corner
from tests.benchmarks.intake import loads
from tests.benchmarks.intake.intake import demand_running
from tests.benchmarks.intake.ways import OURS
from tests.benchmarks.processes import role
from tests.benchmarks.progress import watch
from tests.benchmarks.report import Row, rate_row
from tests.benchmarks.scale import Scale
from tests.builders import a_policy_file

_DEADLINE_SECONDS = 180
_BATCH = 500
# Every look counts all claims; at this pace it takes a few hundredths of one core until the first is routed.
_BEFORE_SECONDS = 0.1
_ROUTED = "SELECT count(*) FROM claims WHERE status = 'under_review'"
# A claim that was opened, verified, routed and announced has four audit events.
_ANNOUNCED = "SELECT count(*) FROM claims WHERE version >= 4"


def measure(scale: Scale) -> Iterator[Row]:
    """Both rates."""
    routed, announced = zip(*(rates(scale.drain_claims) for _ in range(scale.repetitions)), strict=True)
    yield rate_row("drain", "opened to routed", routed, "claims/s", at_least=3000)
    yield rate_row("drain", "opened to announced", announced, "claims/s")


def rates(count: int) -> tuple[float, float]:
    """One turn: claims routed and claims announced, a second."""
    with fresh_corner() as corner:
        open_claims(corner, count)
        bear_out(corner, count)
        corner.settle(analyze=True)
        policy = str(a_policy_file(corner.folder, incidents=False))
        with role("worker", corner, SPOTCLAIM_POLICY=policy) as worker, role("relay", corner) as relay:
            began = time.monotonic()

            def alive() -> None:
                demand_running([worker, relay])

            routed = watch(corner, _ROUTED, count, _DEADLINE_SECONDS, alive, _BEFORE_SECONDS)
            announced = watch(corner, _ANNOUNCED, count, _DEADLINE_SECONDS, alive)
    return count / (routed.done - began), count / (announced.done - began)


def open_claims(corner: Corner, count: int) -> None:
    """That many claims, each waiting for its verification."""
    OURS.fill(corner, "new_spots", count)
    with OURS.running(corner, "new_spots") as processes:
        opened = "SELECT count(*) FROM claims"
        watch(corner, opened, count, _DEADLINE_SECONDS, lambda: demand_running(processes))


def bear_out(corner: Corner, count: int) -> None:
    """Registers the spots and stores a usage record for each."""
    engine = connect(corner.database_url, pool_size=1)
    store, reception = PostgresStore(engine), wire.Reception(datetime.now(UTC), "benchmark")
    try:
        for begin in range(0, count, _BATCH):
            batch = Batch()
            for spot in range(begin, min(begin + _BATCH, count)):
                wire.ingest_message(batch, loads.registration(spot), reception)
                wire.ingest_message(batch, loads.usage(spot), reception)
            with store.transaction() as transaction:
                transaction.register_spots(batch.spots)
                transaction.record_usage(batch.usage)
    finally:
        engine.dispose()
