"""The sequencer: every committed event gets one position, in order, whatever is late, doubled or killed."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from adapters.postgres.audit.log import AuditLog
from adapters.postgres.engine import connect
from adapters.postgres.migrations import migrate
from adapters.postgres.store import PostgresStore
from adapters.prometheus import Metrics
from domain.audit.event import NEW
from domain.audit.merkle import leaf_hash
from domain.changes import Changes
from domain.claims.claim import Claim
from tests.builders import NOW, a_chain, a_claim, a_fault
from tests.integration.parts import PATIENCE_SECONDS, Spotclaim
from tests.servers.waiting import wait_until
from workers.audit.sequencer import Sequencer

# Runs until it is killed; says how far it came, so that the killing meets it at work.
_ENDLESS = """
import sys
from adapters.postgres.audit.log import AuditLog
from adapters.postgres.engine import connect
from adapters.postgres.migrations import migrate
from adapters.postgres.engine import connect
from workers.audit.sequencer import Sequencer
sequencer = Sequencer(AuditLog(connect(sys.argv[1])))
while True:
    if sequencer.run_once(1).events:
        print("placed", flush=True)
"""


def a_sequencer(engine: Engine, metrics: Metrics | None = None) -> Sequencer:
    return Sequencer(AuditLog(engine), metrics.chain_broken if metrics else lambda _: None)


def place_all(sequencer: Sequencer) -> int:
    placed = 0
    while events := sequencer.run_once().events:
        placed += events
    return placed


def demand_one_position_each(spotclaim: Spotclaim) -> None:
    """Positions without a gap; each event once, with its own leaf; a claim's events in their order."""
    rows = spotclaim.rows(
        "SELECT l.position, e.subject_id::text, e.seq, l.leaf, e.hash FROM audit_events e"
        " LEFT JOIN audit_log l USING (subject_id, seq) ORDER BY l.position"
    )
    assert [row["position"] for row in rows] == list(range(len(rows)))
    assert spotclaim.value("SELECT count(*) FROM audit_log") == len(rows)
    assert all(bytes(row["leaf"]) == leaf_hash(bytes(row["hash"])) for row in rows)
    last: dict[str, int] = {}
    for row in rows:
        assert row["seq"] == last.get(row["subject_id"], 0) + 1
        last[row["subject_id"]] = row["seq"]


def with_chains(claims: Sequence[Claim], events: int) -> Changes:
    """New claims with so many events each."""
    changes = Changes(*(event for claim in claims for event in a_chain(claim, events)))
    changes.put(*claims, part=NEW)
    return changes


def record_claims(spotclaim: Spotclaim, transactions: int, *, events: int = 2) -> None:
    for _ in range(transactions):
        claims = [a_claim(spot_id=f"E{number}") for number in range(5)]
        for claim in claims:
            claim.spot_id = claim.id
        with spotclaim.store.transaction() as transaction:
            transaction.record(with_chains(claims, events))


def test_every_event_gets_a_position(spotclaim: Spotclaim, engine: Engine) -> None:
    """In the order in which they were recorded; and when nothing is new, nothing happens."""
    spotclaim.take_in(faults=[a_fault(), a_fault(spot_id="E2")])
    spotclaim.carry_out()
    sequencer = a_sequencer(engine)

    placed = place_all(sequencer)

    assert placed == spotclaim.value("SELECT count(*) FROM audit_events") >= 4
    assert sequencer.run_once().events == 0
    demand_one_position_each(spotclaim)


def test_work_comes_in_portions(spotclaim: Spotclaim, engine: Engine) -> None:
    """Of so many transactions at most."""
    record_claims(spotclaim, 3)
    sequencer = a_sequencer(engine)

    assert [sequencer.run_once(2).events, sequencer.run_once(2).events, sequencer.run_once(2).events] == [
        20,
        10,
        0,
    ]
    demand_one_position_each(spotclaim)


def test_a_late_commit_is_not_passed_over(spotclaim: Spotclaim, engine: Engine) -> None:
    """A transaction that began first and wrote first commits last; its events come then."""
    store, claim = PostgresStore(engine), a_claim()
    sequencer = a_sequencer(engine)
    with store.transaction() as late:
        late.record(with_chains([claim], 3))
        record_claims(spotclaim, 2)
        assert place_all(sequencer) == 20

    assert place_all(sequencer) == 3
    demand_one_position_each(spotclaim)


def test_eight_sequencers_give_each_event_one_position(spotclaim: Spotclaim, engine: Engine) -> None:
    """All at once, while four writers go on recording."""
    writing = threading.Event()

    def sequence() -> int:
        sequencer, placed = a_sequencer(engine), 0
        while writing.is_set() or sequencer.run_once(1).events:
            placed += sequencer.run_once(1).events
        return placed

    writing.set()
    with ThreadPoolExecutor(12) as pool:
        sequencers = [pool.submit(sequence) for _ in range(8)]
        for writer in [pool.submit(record_claims, spotclaim, 15) for _ in range(4)]:
            writer.result()
        writing.clear()
        for done in sequencers:
            done.result()

    place_all(a_sequencer(engine))
    assert spotclaim.value("SELECT count(*) FROM audit_log") == 4 * 15 * 10
    demand_one_position_each(spotclaim)


@contextmanager
def endless(url: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen([sys.executable, "-c", _ENDLESS, url], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_kill_9_loses_and_doubles_nothing(spotclaim: Spotclaim, engine: Engine, emptied_database_url: str) -> None:
    """Five times in the middle of the work."""
    record_claims(spotclaim, 120)

    for _ in range(5):
        with endless(emptied_database_url) as process:
            assert process.stdout is not None
            for _ in range(4):
                assert process.stdout.readline() == "placed\n"
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
    assert wait_until(lambda: spotclaim.value(sessions) == 1, PATIENCE_SECONDS)

    assert 0 < place_all(a_sequencer(engine)) < 1200
    assert spotclaim.value("SELECT count(*) FROM audit_log") == 1200
    demand_one_position_each(spotclaim)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_events SET actor = 'eve' WHERE seq = 3",
        "UPDATE audit_events SET hash = sha256(hash) WHERE seq = 2",
        "DELETE FROM audit_events WHERE seq = 2",
        "UPDATE audit_log SET leaf = sha256(leaf)",
    ],
)
def test_a_broken_chain_is_reported_as_it_comes_by(spotclaim: Spotclaim, engine: Engine, tampering: str) -> None:
    """In the metric, once for each claim; its events get their positions all the same, for they are there."""
    registry = CollectorRegistry()
    sequencer = a_sequencer(engine, Metrics(registry))
    claim = a_claim()
    events = a_chain(claim, 4)
    spotclaim.record(claim, part=NEW)
    spotclaim.record(*events[:2])
    place_all(sequencer)
    spotclaim.record(*events[2:])
    spotclaim.rows(f"SET LOCAL session_replication_role = replica; {tampering}")

    result = sequencer.run_once()

    assert (result.events, result.broken) == (2, (claim.id,))
    assert registry.get_sample_value("spotclaim_audit_chains_broken") == 1


def test_what_was_recorded_before_the_log_gets_its_position(empty_database_url: str) -> None:
    """A database of the schema before: its claims wait, in portions, after the migration."""

    engine = connect(empty_database_url)
    migrate(empty_database_url, to="0002")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO claims (id, spot_id, code, claim_type, severity, status, connector_id, opened_at,"
            " first_seen_at, last_seen_at, resolve_due_at, fault_count, stage, stages, policy_version, version,"
            " head) SELECT gen_random_uuid(), n::text, 'OTHER', 'equipment', 'low', 'submitted', 0,"
            " %s, %s, %s, %s, 1, 0, '{}', 'test', 1, '' FROM generate_series(1, 1100) AS n",
            (NOW, NOW, NOW, NOW),
        )
        connection.exec_driver_sql(
            "INSERT INTO audit_events SELECT id, 1, now(), 'test', 'claim.opened', '{}', sha256('') FROM claims"
        )

    migrate(empty_database_url)

    assert place_all(a_sequencer(engine)) == 1100
    engine.dispose()
