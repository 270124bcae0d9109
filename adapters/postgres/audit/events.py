"""Stores audit events, and who waits for a position in the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.queries import DatabaseQueries, Row
from adapters.postgres.statements import Executor, Write, as_array, insert
from domain.administration.act import SUBJECT_KIND

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
    Index("audit_events_administration", "at", postgresql_where=text("subject_kind = 'administration'::text")),
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


_EVENT: Final = (
    *(audit_events.c[name] for name in ("subject_id", "seq", "at", "actor", "kind", "body")),
    func.encode(audit_events.c.hash, "hex").label("hash"),
)


class EventQueries(DatabaseQueries):
    """Reads timelines for people and programs."""

    def claim_events(self, claim_id: str) -> list[Row]:
        query = select(*_EVENT).where(audit_events.c.subject_id == claim_id).order_by(audit_events.c.seq)
        return self._rows(query)

    def administrative_events(
        self, *, kind: str | None = None, since: datetime | None = None, limit: int = 100
    ) -> list[Row]:
        """Reads administrative acts, the latest first; `kind` is the whole name or what follows its first word."""
        query = select(*_EVENT).where(audit_events.c.subject_kind == SUBJECT_KIND)
        if kind is not None:
            query = query.where(audit_events.c.kind == f"{SUBJECT_KIND}.{kind.removeprefix(f'{SUBJECT_KIND}.')}")
        if since is not None:
            query = query.where(audit_events.c.at >= since)
        at, subject_id, seq = audit_events.c.at.desc(), audit_events.c.subject_id, audit_events.c.seq.desc()
        return self._rows(query.order_by(at, subject_id, seq).limit(limit))
