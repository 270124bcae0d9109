"""The audit: how fast the whole record is replayed, and what hash chains cost intake.

Replay: claims are opened, verified, routed and announced in this process by the parts that workers run, and their
events are given positions, so there are four events to a claim. `workers.auditor.audit` then does what
`spotclaim audit verify` does: reads every event and claim, recomputes every hash, folds every chain and compares
it with the claim's row, and gathers the leaves of the log. The rate is by the clock, with PostgreSQL on the same
machine.

Cost: a batch is taken in by `Intake` in this process, and the processor time of this process is taken: looking for
duplicates, meeting claims, deciding, writing, but neither the broker nor the work inside PostgreSQL. Then the same
audit events are appended once more, from canonical JSON to hash, and nothing else. The cost of the chains is that
second time as a share of the first. It is an upper bound: an audit trail without hashes would write the same JSON.
The share of the hash alone is told beside it.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Engine

from adapters.postgres.audit_log import AuditLog
from adapters.postgres.audit_record import open_record
from adapters.postgres.engine import connect
from domain import audit
from domain.intake import Batch
from ingest import wire
from tests.benchmarks import loads
from tests.benchmarks.corner import fresh_corner
from tests.benchmarks.report import Row, ceiling_row, rate_row
from tests.benchmarks.scale import Scale
from tests.builders import a_claim
from tests.integration.parts import Clock, Spotclaim
from workers.auditor import audit as run_audit
from workers.roles import calm_the_collector
from workers.sequencer import Sequencer

_BATCH = 500


def measure(scale: Scale) -> Iterator[Row]:
    """Replay, sequencing, and the share of intake."""
    with fresh_corner() as corner:
        engine = connect(corner.database_url, pool_size=4)
        try:
            intake = _fill(engine, scale.audit_claims)
            appended, hashed = _chains(engine, scale.audit_claims)
            placed = _place(engine)
            corner.settle(analyze=True)
            calm_the_collector()
            replayed = [_replay(engine) for _ in range(scale.repetitions)]
        finally:
            engine.dispose()
    yield rate_row("audit", f"replay of {4 * scale.audit_claims:,} events", replayed, "events/s", at_least=200_000)
    yield rate_row("audit", "given a position, chains checked", [placed], "events/s")
    yield ceiling_row("audit", "chains, of the processor time of intake", 100 * appended / intake, "%", at_most=15)
    yield ceiling_row("audit", "of that the hash alone", 100 * hashed / intake, "%")


def _fill(engine: Engine, claims: int) -> float:
    """So many claims, announced. Returns the seconds of processor time that intake took."""
    spotclaim, seconds = Spotclaim(engine, clock=Clock(datetime.now(UTC))), 0.0
    for begin in range(0, claims, _BATCH):
        numbers = range(begin, min(begin + _BATCH, claims))
        registry = _batch(body for spot in numbers for body in (loads.registration(spot), loads.usage(spot)))
        faults = _batch(loads.fault(spot, spot) for spot in numbers)
        spotclaim.intake(registry)
        seconds += _processor_seconds(lambda: spotclaim.intake(faults))  # noqa: B023
        spotclaim.carry_out()
    return seconds


def _batch(bodies: Iterator[bytes]) -> Batch:
    batch, reception = Batch(), wire.Reception(datetime.now(UTC), "benchmark")
    for body in bodies:
        wire.take_in(batch, body, reception)
    return batch


def _chains(engine: Engine, claims: int) -> tuple[float, float]:
    """Seconds of processor time to append the events of opening once more, and to hash them."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT at, actor, kind, body FROM audit_events WHERE seq = 1").all()
    opened = [(a_claim(), row.at, row.actor, row.kind, orjson.loads(row.body)) for row in rows]
    if len(opened) != claims:
        raise ValueError(f"{len(opened)} claims were opened instead of {claims}.")

    def append() -> None:
        for event in opened:
            audit.append(*event)

    def link() -> None:
        for claim, at, actor, kind, body in hashed:
            audit.link(audit.GENESIS, claim.id, 1, at, actor, kind, body)

    appended = _processor_seconds(append)
    hashed: list[Any] = [
        (event[0], audit.instant(row.at), *row[1:]) for event, row in zip(opened, rows, strict=True)
    ]
    return appended, _processor_seconds(link)


def _place(engine: Engine) -> float:
    """Events a second that get a position."""
    sequencer, began, placed = Sequencer(AuditLog(engine)), time.perf_counter(), 0
    while events := sequencer.run_once().events:
        placed += events
    return placed / (time.perf_counter() - began)


def _replay(engine: Engine) -> float:
    """Events a second."""
    began = time.perf_counter()
    with open_record(engine) as record:
        result = run_audit(record)
    if not result.clean:
        raise ValueError(f"The record is not sound: {result.findings[0]}")
    return result.events / (time.perf_counter() - began)


def _processor_seconds(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
