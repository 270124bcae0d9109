"""Reads what the database holds, to reconcile it with what publishers were confirmed."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, Engine

from adapters.postgres.engine import translated_errors

_MESSAGE_TABLES = ("faults", "usage_records", "spots")
_CHUNK = 10_000

_MISCOUNTED = """
SELECT coalesce(sum(greatest(c.fault_count - coalesce(f.raised, 0), 0)), 0) AS counted_twice,
       coalesce(sum(greatest(coalesce(f.raised, 0) - c.fault_count, 0)), 0) AS not_counted
FROM claims c LEFT JOIN (
    SELECT claim_id, count(*) FILTER (WHERE NOT cleared) AS raised FROM faults GROUP BY claim_id
) f ON f.claim_id = c.id
"""
_VERSIONS = """
SELECT count(*) FROM claims c WHERE c.version <> (SELECT count(*) FROM audit_events e WHERE e.subject_id = c.id)
"""
_EVIDENCE_ALTERED = """
SELECT count(*) FROM claims c WHERE c.evidence_digest <> evidence_digest(c.id) AND c.id IN (
    SELECT claim_id FROM claim_evidence UNION SELECT id FROM claims WHERE evidence_digest <> ''
)
"""


class ReconciliationQueries:
    """Answers `spotclaim reconcile`. Every method raises `TransientError` when the server is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def taken_in(self, keys: Collection[str]) -> set[str]:
        """Finds the message keys that are in the tables of messages."""
        return self._present(_MESSAGE_TABLES, keys)

    def quarantined(self, keys: Collection[str]) -> set[str]:
        """Finds the keys that are in quarantine."""
        return self._present(("quarantine",), keys)

    def counted(self) -> tuple[int, int]:
        """Counts all messages: taken in, and in quarantine and not taken in from there."""
        taken_in = " + ".join(f"(SELECT count(*) FROM {table})" for table in _MESSAGE_TABLES)
        quarantined = "(SELECT count(*) FROM quarantine WHERE state <> 'replayed')"
        with translated_errors(), self._engine.connect() as connection:
            row = connection.exec_driver_sql(f"SELECT {taken_in}, {quarantined}").one()
        return int(row[0]), int(row[1])

    def replayed(self) -> set[str]:
        """Reads the keys of the messages that were replayed from quarantine."""
        sql = "SELECT replace(message_key::text, '-', '') FROM quarantine WHERE state = 'replayed'"
        with translated_errors(), self._engine.connect() as connection:
            return set(connection.exec_driver_sql(sql).scalars())

    def of_sources(self, sources: Collection[str]) -> set[str]:
        """Reads the keys of every message that these sources ever sent."""
        with translated_errors(), self._engine.connect() as connection:
            return {
                key
                for table in _MESSAGE_TABLES
                for key in connection.exec_driver_sql(
                    f"SELECT replace(key::text, '-', '') FROM {table} WHERE source = ANY(%s)", (list(sources),)
                ).scalars()
            }

    def miscounted(self) -> tuple[int, int]:
        """Counts the faults that claims count too often, and the stored ones that no claim counts."""
        with translated_errors(), self._engine.connect() as connection:
            row = connection.exec_driver_sql(_MISCOUNTED).one()
        return int(row.counted_twice), int(row.not_counted)

    def claims_off_their_events(self) -> int:
        """Counts claims whose version is not the number of their audit events."""
        with translated_errors(), self._engine.connect() as connection:
            return int(connection.exec_driver_sql(_VERSIONS).scalar_one())

    def claims_off_their_evidence(self) -> int:
        """Counts claims whose evidence is not what their record says; nobody can approve them."""
        with translated_errors(), self._engine.connect() as connection:
            return int(connection.exec_driver_sql(_EVIDENCE_ALTERED).scalar_one())

    def _present(self, tables: Sequence[str], keys: Collection[str]) -> set[str]:
        found: set[str] = set()
        with translated_errors(), self._engine.connect() as connection:
            for chunk in _chunks(keys):
                for table in tables:
                    found.update(_select_keys(connection, table, chunk))
        return found


def _select_keys(connection: Connection, table: str, keys: list[str]) -> Sequence[str]:
    sql = f"SELECT replace(key::text, '-', '') FROM {table} WHERE key = ANY(%s::uuid[])"
    return connection.exec_driver_sql(sql, (keys,)).scalars().all()


def _chunks(keys: Collection[str]) -> Iterator[list[str]]:
    iterator = iter(keys)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
