"""Stores audit events, and who waits for a position in the log."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import BigInteger, Column, Computed, Identity, Integer, LargeBinary, Table, Text, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.queries import DatabaseQueries, Row
from adapters.postgres.statements import Executor, Write, as_array, insert

audit_events: Final = Table(
    "audit_events",
    metadata,
    Column("subject_id", ID, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", MOMENT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # The very characters that were hashed, so text and not JSONB, which would rewrite them.
    Column("body", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("subject_kind", Text, Computed("split_part(kind, '.'::text, 1)", persisted=True), nullable=False),
)

# Whose events wait for their position in the log: one row for each transaction that added some.
audit_pending: Final = Table(
    "audit_pending",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("subject_ids", ARRAY(ID), nullable=False),
)

_WRITTEN: Final = ("subject_id", "seq", "at", "actor", "kind", "body", "hash")

_LAST_CHANGES: Final = """
SELECT subject_id::text, max(seq) FROM audit_events
WHERE subject_id = ANY(%s::uuid[]) AND kind <> 'claim.announced' GROUP BY subject_id
"""

_INSERT_EVENTS: Final = insert(audit_events, _WRITTEN, "RETURNING subject_id")
# What waits for its position in the log is said in the same transaction, so a late commit cannot be passed over.
INSERT_EVENTS: Final = Write(
    f"WITH event AS ({_INSERT_EVENTS.sql}) "
    "INSERT INTO audit_pending (subject_ids) SELECT array_agg(subject_id) FROM event",
    _INSERT_EVENTS.columns,
)


class EventRows(Executor):
    """Reads audit events within a transaction."""

    def last_changes(self, claim_ids: Sequence[str]) -> dict[str, int]:
        return dict(self._execute(_LAST_CHANGES, as_array(claim_ids)))


class EventQueries(DatabaseQueries):
    """Reads timelines for people and programs."""

    def claim_events(self, claim_id: str) -> list[Row]:
        columns = (
            audit_events.c.subject_id,
            audit_events.c.seq,
            audit_events.c.at,
            audit_events.c.actor,
            audit_events.c.kind,
            audit_events.c.body,
            func.encode(audit_events.c.hash, "hex").label("hash"),
        )
        query = select(*columns).where(audit_events.c.subject_id == claim_id).order_by(audit_events.c.seq)
        return self._rows(query)
