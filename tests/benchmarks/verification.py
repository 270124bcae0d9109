"""Verification: verdicts a second, in batches, against a million usage records.

Twenty thousand spots have recorded fifty sessions each, written by one SQL statement: registers that go on from
one session to the next, and every twentieth session with something wrong. On every spot a fault is taken in, of
every kind of the catalogue in turn, by the domain and the store as a worker would. Then the owed `verify` steps,
500 claims each, are carried out as two worker processes do it: a transaction a step, which takes the step, locks
the claims, reads their spots, sessions and reports, judges, and records verdicts, audit events and what follows.
Beside it, the same by the two threads of one process; and once more where each spot has recorded ten times as many
sessions, which must cost nothing.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

from sqlalchemy import Engine

from adapters.policy.reader import load_policy
from adapters.postgres.engine import connect
from adapters.postgres.store import PostgresStore
from domain.claims.deduplication import deduplicate, group_by_claim
from domain.claims.number import identities
from domain.field.fault import Fault
from domain.identifiers import message_key, new_claim_ids
from domain.policy.error_codes import CLAIM_TYPES
from tests.benchmarks.corner import Corner, fresh_corner
from tests.benchmarks.intake.loads import spot_id
from tests.benchmarks.report import Row, rate_row
from tests.benchmarks.scale import Scale
from workers.runtime.garbage_collection import calm_the_collector
from workers.runtime.step_runner import StepRunner
from workers.steps.verify import Verifier

_BATCH = 500
_THREADS = 2
_PATIENCE_SECONDS = 300
_SESSIONS = 50
_SESSION_EVERY = timedelta(hours=14)
_NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
# Within a session that has many before and some after it.
_FAULT = _NOW - 5 * _SESSION_EVERY + timedelta(minutes=10)
_REGISTERED = _NOW - timedelta(days=365)
_HOURS_APART = _SESSION_EVERY // timedelta(hours=1)
_SPOTS_AT_ONCE = 1_000

_SPOTS = f"""
INSERT INTO spots (key, source, message_id, spot_id, zone, time_zone, vendor, model, max_power_kw, warranty_until,
    registered_at, received_at)
SELECT md5('spot' || i)::uuid, '/registry', 'spot-' || i, 'DE*BEN*E' || lpad(i::text, 8, '0') || '*1',
    'zone-' || i %% 40, 'Europe/Berlin', 'ACME', 'AC-22', 22, '2099-12-31', '{_REGISTERED}', '{_REGISTERED}'
FROM generate_series(0, %s - 1) AS i
"""

# A sound session takes 11 kWh in an hour; of a hundred, one each has a register that fell back, negative energy,
# no end, a register that was not read, and energy that its registers do not bear out.
_USAGE = f"""
INSERT INTO usage_records (key, source, message_id, spot_id, session_id, connector_id, started_at, ended_at,
    energy_kwh, meter_start_kwh, meter_stop_kwh, "user", stop_reason, samples, findings, recorded_at, received_at)
SELECT md5('session' || i || '/' || n)::uuid, '/sessions', 'session-' || i || '-' || n,
    'DE*BEN*E' || lpad(i::text, 8, '0') || '*1', 'U-' || i || '-' || n, 1, began,
    CASE WHEN kind <> 3 THEN ended END,
    CASE kind WHEN 1 THEN -11 WHEN 2 THEN -11 WHEN 5 THEN 3 ELSE 11 END, 1000 + 11 * n,
    CASE kind WHEN 1 THEN 989 + 11 * n WHEN 4 THEN -1 ELSE 1011 + 11 * n END,
    'user-' || (i * 31 + n) %% 9973, 'EVDisconnected', '[]',
    CASE kind WHEN 1 THEN ARRAY['NEGATIVE_ENERGY', 'REGISTER_FELL_BACK']
        WHEN 2 THEN ARRAY['NEGATIVE_ENERGY', 'REGISTERS_DISAGREE'] WHEN 3 THEN ARRAY['END_MISSING']
        WHEN 4 THEN ARRAY['REGISTER_UNKNOWN'] WHEN 5 THEN ARRAY['REGISTERS_DISAGREE'] ELSE '{{}}' END::text[],
    ended, ended
FROM generate_series(%(first)s, %(last)s) AS i CROSS JOIN generate_series(0, %(sessions)s - 1) AS n
CROSS JOIN LATERAL (
    SELECT '{_NOW}'::timestamptz + (n - %(sessions)s) * interval '{_HOURS_APART} hours' AS began,
        (i * 53 + n * 17) %% 100 AS kind
) AS session CROSS JOIN LATERAL (SELECT began + interval '1 hour' AS ended) AS its
"""


def measure(scale: Scale) -> Iterator[Row]:
    """Verdicts a second."""
    records = scale.verification_spots * _SESSIONS
    turns = [
        (rate(scale.verification_spots, 2), rate(scale.verification_spots, 1)) for _ in range(scale.repetitions)
    ]
    two, one = zip(*turns, strict=True)
    against = f"against {records:,} usage records"
    yield rate_row("verification", f"{against}, 2 processes", list(two), "claims/s", at_least=5000)
    yield rate_row("verification", f"{against}, 1 process", list(one), "claims/s")
    more = scale.verification_growth
    grown = [rate(scale.verification_spots, 2, more * _SESSIONS)]
    yield rate_row("verification", f"against {more * records:,} usage records, 2 processes", grown, "claims/s")


def rate(spots: int, processes: int, sessions: int = _SESSIONS) -> float:
    """One turn: every spot has one claim."""
    with fresh_corner() as corner:
        fill(corner, spots, sessions)
        engine = connect(corner.database_url, pool_size=1)
        try:
            open_claims(engine, spots)
            corner.settle(analyze=True)
            return verify_all(engine, corner.database_url, spots, processes)
        finally:
            engine.dispose()


def fill(corner: Corner, spots: int, sessions: int) -> None:
    """The spots and their sessions. The index is built by the rows as they come, as it would be in a year."""
    connection = corner.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '300s'")
            cursor.execute(_SPOTS, (spots,))
            for first in range(0, spots, _SPOTS_AT_ONCE):
                last = min(first + _SPOTS_AT_ONCE, spots) - 1
                cursor.execute(_USAGE, {"first": first, "last": last, "sessions": sessions})
    finally:
        connection.close()


def open_claims(engine: Engine, spots: int) -> None:
    """A claim for each spot, waiting for its verification."""
    store, policy = PostgresStore(engine), load_policy()
    for begin in range(0, spots, _BATCH):
        faults = [_fault(spot) for spot in range(begin, min(begin + _BATCH, spots))]
        with store.transaction() as transaction:
            groups = group_by_claim(faults, policy)
            new_identity = identities(new_claim_ids(len(groups)), count(begin), _NOW).__next__
            transaction.record(deduplicate(groups, {}, policy, _NOW, new_identity))


def verify_all(engine: Engine, url: str, spots: int, processes: int) -> float:
    """Carries out every owed step, and demands that every claim has its verdict; claims a second."""
    with engine.connect() as connection:
        ids = list(connection.exec_driver_sql("SELECT id FROM steps WHERE kind = 'verify' ORDER BY id").scalars())
    own = get_context("spawn")
    ready = own.Barrier(processes + 1)
    workers = [own.Process(target=_work, args=(url, ids[place::processes], ready)) for place in range(processes)]
    for worker in workers:
        worker.start()
    ready.wait(_PATIENCE_SECONDS)
    began = time.perf_counter()
    for worker in workers:
        worker.join(_PATIENCE_SECONDS)
    seconds = time.perf_counter() - began
    with engine.connect() as connection:
        verified = connection.exec_driver_sql("SELECT count(*) FROM claims WHERE verdict_seq > 0").scalar_one()
    if verified != spots:
        raise ValueError(f"{verified:,} of {spots:,} claims were verified.")
    return spots / seconds


def _work(url: str, ids: list[int], ready: Barrier) -> None:
    """One worker process: as many threads as it has, each with a step at a time."""
    engine, policy = connect(url, pool_size=_THREADS), load_policy()
    runner = StepRunner(
        PostgresStore(engine),
        {"verify": Verifier(policy, lambda: _NOW, lambda _: policy)},
        lambda: _NOW,
        lambda *_: None,
    )
    with engine.connect():
        calm_the_collector()
    with ThreadPoolExecutor(_THREADS) as threads:
        ready.wait(_PATIENCE_SECONDS)
        for done in [threads.submit(runner.run, "verify", [step_id]) for step_id in ids]:
            done.result()
    engine.dispose()


def _fault(spot: int) -> Fault:
    code = list(CLAIM_TYPES)[spot % len(CLAIM_TYPES)]
    return Fault(
        key=message_key("/benchmark", str(spot), None, b""),
        source="/benchmark",
        message_id=str(spot),
        spot_id=spot_id(spot),
        taxonomy="spotclaim",
        raw_code=code,
        occurred_at=_FAULT,
        received_at=_NOW,
        connector_id=1,
        reservation_id=f"R-{spot:08d}",
        session_id=f"S-{spot:08d}" if spot % 2 else None,
        evidence=[{"kind": "meter_reading", "register": 18234.5, "unit": "kWh", "time": "2026-03-10T11:00:00Z"}],
    )
