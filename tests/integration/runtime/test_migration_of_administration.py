"""Migration 0028: what administrators did before begins a chain as it is found."""

from sqlalchemy import Engine

from adapters.postgres.audit.log import AuditLog
from adapters.postgres.audit.snapshot import open_snapshot
from adapters.postgres.engine import connect
from adapters.postgres.migrations import migrate
from adapters.postgres.people.tokens import Tokens
from domain.events import KINDS
from workers.audit.sequencer import Sequencer
from workers.audit.verify import audit

_BEFORE = """
INSERT INTO api_tokens (digest, name, role, disabled_at) VALUES
    (sha256('a'), 'max', 'manager', NULL), (sha256('b'), 'l''ül
x', 'operator', now());
INSERT INTO delegations (id, role, of, "to", until) VALUES (gen_random_uuid(), 'manager', 'max', 'olga', now());
INSERT INTO silences (id, created_by, why, starts_at, ends_at, codes, severities, claim_types, zones, destinations)
VALUES (gen_random_uuid(), 'o', 'works', now(), now(), '{A}', '{}', '{}', '{n,w}', '{}');
INSERT INTO destinations (name, url, shown, added_by) VALUES ('ops', 'json://x:y@z', 'json://z', 'ada');
INSERT INTO destinations (name, url, shown, added_by, removed_at) VALUES ('ops', '', 'json://z', 'ada', now());
INSERT INTO policies (version, digest, content) VALUES ('v1', encode(sha256('{}'), 'hex'), '{}');
INSERT INTO quarantine (key, reason, sentence, body, size, door, received_at, last_received_at, times, state,
    attributes, edited, message_key, settled_at, settled_by, editors)
VALUES
    (gen_random_uuid(), 'R', 'S', 'x', 1, 'http', now(), now(), 1, 'open', NULL, NULL, NULL, NULL, NULL, '{}'),
    (gen_random_uuid(), 'R', 'S', 'x', 1, 'http', now(), now(), 1, 'replayed', '{"a": [1.5, "ü"]}', 'y',
        gen_random_uuid(), now(), 'ada', '{ada}');
"""


def test_what_was_there_begins_a_chain(empty_database_url: str) -> None:
    """Each row that is administered, and no message that waits for a decision; from then on all is verified."""
    migrate(empty_database_url, to="0022")
    engine: Engine = connect(empty_database_url, pool_size=2)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(_BEFORE.replace("%", "%%"))
        migrate(empty_database_url)
        Sequencer(AuditLog(engine)).run_once(1000)

        with open_snapshot(engine) as record:
            result = audit(record)
        assert (result.findings, result.administered, result.events, result.not_in_log) == ([], 8, 8, 0)
        with engine.begin() as connection:
            kinds = connection.exec_driver_sql("SELECT DISTINCT kind, actor FROM audit_events").all()
            assert {tuple(row) for row in kinds} == {
                (kind, "migration:0028")
                for kind in KINDS
                if kind.startswith("admin") and kind.endswith("_restated")
            }

        Tokens(engine).disable("max", "ada")
        with open_snapshot(engine) as record:
            assert audit(record).findings == []
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE api_tokens SET disabled_at = NULL WHERE name = 'max'")
        with open_snapshot(engine) as record:
            assert [it.what for it in audit(record).findings] == ["ROW_DIFFERS"]
    finally:
        engine.dispose()
