"""The audit: how fast the whole record is replayed, and what hash chains cost intake.

Replay: claims are opened, verified, routed and announced in this process by the parts that workers run, and their
events are given positions, so there are four events to a claim. `workers.audit.verify.audit` then does what
`spotclaim audit verify` does: reads every event and claim, recomputes every hash, folds every chain and compares
it with the claim's row, and gathers the leaves of the log. The rate is by the clock, with PostgreSQL on the same
machine.

Cost: a batch is taken in by `Intake` in this process, and the processor time of this process is taken: looking for
duplicates, meeting claims, deciding, writing, but neither the broker nor the work inside PostgreSQL. Then the same
audit events are appended once more, from canonical JSON to hash, and nothing else. The cost of the chains is that
second time as a share of the first. It is an upper bound: an audit trail without hashes would write the same JSON.
The share of the hash alone stands beside it.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Engine

from adapters.postgres.audit.log import AuditLog
from adapters.postgres.audit.snapshot import open_snapshot
from adapters.postgres.engine import connect
from domain.audit import chain as audit
from domain.field.batch import Batch
from ingest.cloudevents import decode as wire
from tests.benchmarks.corner import fresh_corner
from tests.benchmarks.intake import loads
from tests.benchmarks.report import Row, ceiling_row, rate_row
from tests.benchmarks.scale import Scale
from tests.builders import a_claim
from tests.integration.parts import Clock, Spotclaim
from workers.audit.sequencer import Sequencer
from workers.audit.verify import audit as run_audit
from workers.audit.verify import processors
from workers.runtime.garbage_collection import calm_the_collector

_BATCH = 500
NO_CLAIM = "00000000-0000-0000-0000-000000000000"


def measure(scale: Scale) -> Iterator[Row]:
    """Replay, sequencing, and the share of intake."""
    with fresh_corner() as corner:
        engine = connect(corner.database_url, pool_size=4)
        try:
            intake, appended, hashed = _fill(engine, scale.audit_claims)
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


def _fill(engine: Engine, claims: int) -> tuple[float, float, float]:
    """So many claims, announced. Returns three times in seconds of the processor: of intake, of appending the
    claims' first events once more, and of hashing those. Batch by batch, so that a machine that slows down slows
    all three."""
    spotclaim, seconds, last = Spotclaim(engine, clock=Clock(datetime.now(UTC))), [0.0, 0.0, 0.0], NO_CLAIM
    for begin in range(0, claims, _BATCH):
        numbers = range(begin, min(begin + _BATCH, claims))
        registry = _batch(body for spot in numbers for body in (loads.registration(spot), loads.usage(spot)))
        faults = _batch(loads.fault(spot, spot) for spot in numbers)
        spotclaim.intake(registry)
        seconds[0] += _processor_seconds(lambda: spotclaim.intake(faults))  # noqa: B023
        opened = _opened(engine, last)
        if len(opened) != len(numbers):
            raise ValueError(f"{len(opened)} claims were opened instead of {len(numbers)}.")
        last = max(row.subject_id for row in opened)
        for place, work in enumerate(_again(opened), 1):
            seconds[place] += _processor_seconds(work)
        spotclaim.carry_out()
    return seconds[0], seconds[1], seconds[2]


def _opened(engine: Engine, last: str) -> list[Any]:
    """The first events of the claims that were opened since; ids grow with time. Incidents have chains too."""
    sql = """
        SELECT subject_id::text, at, actor, kind, body FROM audit_events
        WHERE seq = 1 AND subject_kind = 'claim' AND subject_id > %s::uuid
    """
    with engine.connect() as connection:
        return list(connection.exec_driver_sql(sql, (last,)).all())


def _again(rows: list[Any]) -> tuple[Callable[[], None], Callable[[], None]]:
    """What appends these events once more, and what only hashes them."""
    events = [(a_claim(), row.at, row.actor, row.kind, orjson.loads(row.body)) for row in rows]
    hashed = [(row.subject_id, audit.instant(row.at), row.actor, row.kind, row.body) for row in rows]

    def append() -> None:
        for event in events:
            audit.append(*event)

    def link() -> None:
        for subject_id, *fields in hashed:
            audit.link(audit.GENESIS, subject_id, 1, *fields)

    return append, link


def _batch(bodies: Iterator[bytes]) -> Batch:
    batch, reception = Batch(), wire.Reception(datetime.now(UTC), "benchmark")
    for body in bodies:
        wire.ingest_message(batch, body, reception)
    return batch


def _place(engine: Engine) -> float:
    """Events a second that get a position."""
    sequencer, began, placed = Sequencer(AuditLog(engine)), time.perf_counter(), 0
    while events := sequencer.run_once().events:
        placed += events
    return placed / (time.perf_counter() - began)


def _replay(engine: Engine) -> float:
    """Events a second."""
    began = time.perf_counter()
    with open_snapshot(engine) as record:
        result = run_audit(record, processes=processors())
    if not result.clean:
        raise ValueError(f"The record is not sound: {result.findings[0]}")
    return result.events / (time.perf_counter() - began)


def _processor_seconds(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
