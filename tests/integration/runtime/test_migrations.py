"""The schema: what the migrations build is what the code declares, however often and by however many."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from adapters.postgres.engine import connect
from adapters.postgres.migrations import is_current, migrate
from adapters.postgres.schema import metadata
from domain.errors import TransientError
from tests.servers.loopback import HOST, free_port


def test_the_migrated_schema_is_the_declared_one(engine: Engine) -> None:
    """Tables, columns, types, defaults and indexes."""
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)

        assert compare_metadata(context, metadata) == []


def test_partial_indexes_cover_what_the_code_means(engine: Engine) -> None:
    """Comparing schemas overlooks their conditions."""
    with engine.connect() as connection:
        indexes = dict(
            connection.exec_driver_sql(
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            ).all()
        )

    declared = {
        index.name: str(index.dialect_options["postgresql"]["where"])
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["postgresql"]["where"] is not None
    }
    assert set(declared) == {name for name, definition in indexes.items() if " WHERE " in definition}
    for name, condition in declared.items():
        present = indexes[name].split(" WHERE ")[1]
        assert _bare(present) == _bare(condition)


def _bare(condition: str) -> str:
    return condition.replace("(", "").replace(")", "").replace(" ", "")


def test_migrating_twice_changes_nothing(empty_database_url: str) -> None:
    """Before, the schema is not current; afterwards it is and stays so."""
    engine = connect(empty_database_url)
    assert not is_current(engine)

    for _ in range(2):
        migrate(empty_database_url)
        assert is_current(engine)

    engine.dispose()


def test_many_may_migrate_at_once(empty_database_url: str) -> None:
    """Four processes start together; one does the work and the others find it done."""
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrate, empty_database_url) for _ in range(4)]:
            done.result()

    engine = connect(empty_database_url)
    assert is_current(engine)
    engine.dispose()


def test_a_server_that_is_away_is_reported_as_such() -> None:
    """Whoever migrates may try again."""
    with pytest.raises(TransientError):
        migrate(f"postgresql://nobody@{HOST}:{free_port()}/none")


def test_claims_of_an_older_schema_keep_their_verdicts(empty_database_url: str) -> None:
    """A claim learns which of its audit events holds the verdict that it used to hold itself."""
    engine = connect(empty_database_url)
    migrate(empty_database_url, to="0001")
    with engine.begin() as connection:
        connection.exec_driver_sql(_CLAIMS_OF_0001)
        connection.exec_driver_sql(_EVENTS_OF_0001)

    migrate(empty_database_url)

    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT spot_id, verdict_seq FROM claims ORDER BY spot_id").all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("E1", 3), ("E2", 0)]


def test_claims_of_an_older_schema_learn_who_reported_them(empty_database_url: str) -> None:
    """Everybody whose report they count, but for whoever filed the first; a clear is no report."""
    engine = connect(empty_database_url)
    migrate(empty_database_url, to="0001")
    with engine.begin() as connection:
        connection.exec_driver_sql(_CLAIMS_OF_0001)
        connection.exec_driver_sql("UPDATE claims SET filed_by = 'rita' WHERE spot_id = 'E1'")
        connection.exec_driver_sql(_FAULTS_OF_0001)

    migrate(empty_database_url)

    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT spot_id, also_filed_by FROM claims ORDER BY spot_id").all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("E1", ["max", "rosa"]), ("E2", [])]


def test_what_is_pending_for_claims_of_an_older_schema_stays_pending(empty_database_url: str) -> None:
    """Though the state key is another one for a claim that waited in between."""
    engine = connect(empty_database_url)
    migrate(empty_database_url, to="0001")
    with engine.begin() as connection:
        connection.exec_driver_sql(_CLAIMS_OF_0001)
    migrate(empty_database_url, to="0010")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE claims SET pauses = ARRAY[now(), now()] WHERE spot_id = 'E1'")
        connection.exec_driver_sql(
            "INSERT INTO steps (kind, claim_ids, subject, due_at)"
            " SELECT 'escalate', array_agg(id), 'under_review:1', now() FROM claims"
        )

    migrate(empty_database_url)

    with engine.connect() as connection:
        steps = connection.exec_driver_sql("SELECT payload, cardinality(subject_ids) FROM steps ORDER BY id").all()
    engine.dispose()
    assert [tuple(row) for row in steps] == [
        ({"state_key": "under_review:1"}, 2),
        ({"state_key": "under_review:1:resumed 1"}, 1),
    ]


_CLAIMS_OF_0001 = """
INSERT INTO claims (id, spot_id, code, claim_type, severity, status, connector_id, opened_at, first_seen_at,
    last_seen_at, resolve_due_at, fault_count, stage, stages, verdict, policy_version, version, head)
SELECT id::uuid, spot, 'OTHER', 'equipment', 'low', 'submitted', 0, now(), now(), now(), now(), 1, 0, '{}',
    verdict, 'test', 3, ''
FROM (VALUES
    ('00000000-0000-0000-0000-000000000001', 'E1', '{"outcome": "eligible"}'::jsonb),
    ('00000000-0000-0000-0000-000000000002', 'E2', NULL)
) AS v(id, spot, verdict)
"""
_EVENTS_OF_0001 = """
INSERT INTO audit_events (claim_id, seq, at, actor, kind, body, hash)
SELECT ('00000000-0000-0000-0000-00000000000' || claim)::uuid, seq, now(), 'test', kind, '{}', ''
FROM (VALUES
    (1, 1, 'claim.opened'), (1, 2, 'claim.verified'), (1, 3, 'claim.verified'), (1, 4, 'claim.routed'),
    (2, 1, 'claim.opened')
) AS v(claim, seq, kind)
"""
_FAULTS_OF_0001 = """
INSERT INTO faults (key, source, message_id, claim_id, spot_id, connector_id, code, taxonomy, raw_code, cleared,
    occurred_at, received_at, time_quality, evidence, filed_by)
SELECT gen_random_uuid(), 'test', 'm', ('00000000-0000-0000-0000-00000000000' || claim)::uuid, 'E' || claim, 0,
    'OTHER', 'spotclaim', 'OTHER', cleared, now(), now(), 'stated', '[]', name
FROM (VALUES
    (1, 'rita', false), (1, 'rosa', false), (1, NULL, false), (1, 'max', false), (1, 'rosa', false),
    (1, 'olga', true), (2, NULL, false)
) AS v(claim, name, cleared)
"""
