"""Stores deliveries: one message to one destination, with its attempts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Index, Integer, Table, Text, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.queries import DatabaseQueries, Row
from adapters.postgres.statements import Executor, as_array, insert, or_update, selected, update
from domain.notifications.delivery import Delivery

deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("id", ID, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("subject_ids", ARRAY(ID), nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("finished_at", MOMENT),
    Column("code", Text, nullable=False, server_default=text("''::text")),
    Column("reason", Text, nullable=False, server_default=text("'first'::text")),
    Column("due_at", MOMENT),
    Column("summary", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("tried_at", ARRAY(MOMENT), nullable=False, server_default=text("'{}'::timestamptz[]")),
    Column("subject_kind", Text, nullable=False, server_default=text("'claim'::text")),
    Index("deliveries_due", "destination", "due_at"),
    Index("deliveries_created", "created_at"),
    Index(
        "deliveries_of_incidents",
        "subject_ids",
        postgresql_using="gin",
        postgresql_where=text("subject_kind = 'incident'::text"),
    ),
)

# Written once, when the delivery is made.
_FIXED: Final = ("id", "destination", "event", "code", "created_at", "subject_kind")
# What an attempt changes.
_ATTEMPTED: Final = ("status", "attempts", "answer", "finished_at", "due_at")
# Written with every other change.
_MOVING: Final = (*_ATTEMPTED, "title", "body", "subject_ids", "reason", "summary", "tried_at")

# Title and body say what the summary does.
_SHOWN: Final[list[ColumnElement[Any]]] = [
    column for column in deliveries.c if column.name not in ("summary", "tried_at")
]

_DELIVERIES: Final = f"""
SELECT {selected(deliveries, Delivery)} FROM deliveries WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE
"""
# When the latest messages of each destination are due or were, each attempt of each. Whose present attempt is not
# among the latest has no earlier one that is. Both limits are the caller's: earlier moments are left out.
_RECENT_DELIVERIES: Final = """
SELECT w.destination, a.moment FROM unnest(%s::text[]) AS w(destination) CROSS JOIN LATERAL (
    SELECT moment FROM (
        SELECT due_at, tried_at FROM deliveries
        WHERE destination = w.destination AND due_at > %s AND status <> 'gathering'
        ORDER BY due_at DESC LIMIT %s
    ) AS d CROSS JOIN LATERAL unnest(d.due_at || d.tried_at) AS moment
    ORDER BY moment DESC LIMIT %s
) AS a ORDER BY a.moment DESC
"""
# Who was notified: claims have it on their own record; of incidents there are few messages, in an index of their
# own.
_NOTIFIED: Final = """
SELECT subject_id::text, array_agg(DISTINCT body::json->>'destination') FROM audit_events
WHERE subject_id = ANY(%s::uuid[]) AND kind = 'claim.announced' GROUP BY subject_id
UNION ALL
SELECT w.id::text, array_agg(DISTINCT d.destination) FROM unnest(%s::uuid[]) AS w(id)
JOIN deliveries d ON d.subject_ids @> ARRAY[w.id] AND d.subject_kind = 'incident' AND d.status = 'sent'
GROUP BY w.id
"""

INSERT_DELIVERIES: Final = insert(deliveries, _FIXED + _MOVING, or_update(_MOVING))
UPDATE_ATTEMPTED: Final = update(deliveries, _ATTEMPTED)

# Whoever gives a destination's messages their times takes turns with others who do.
_TAKE_TURNS: Final = """
SELECT pg_advisory_xact_lock(7305778, turn) FROM (
    SELECT DISTINCT abs(hashtext(destination) %% 64) AS turn FROM unnest(%s::text[]) AS destination ORDER BY turn
) AS turns
"""


class DeliveryRows(Executor):
    """Reads deliveries within a transaction."""

    def deliveries(self, ids: Sequence[str]) -> list[Delivery]:
        return [Delivery(*row) for row in self._execute(_DELIVERIES, list(ids))]

    def recent_deliveries(
        self, destinations: Iterable[str], since: datetime, limit: int
    ) -> dict[str, list[datetime]]:
        names = sorted(set(destinations))
        self._execute(_TAKE_TURNS, names)
        recent: dict[str, list[datetime]] = {}
        for destination, due_at in self._execute(_RECENT_DELIVERIES, names, since, limit, limit):
            recent.setdefault(destination, []).append(due_at)
        return recent

    def notified(self, about: Sequence[str]) -> dict[str, list[str]]:
        ids = as_array(about)
        return dict(self._execute(_NOTIFIED, ids, ids))


class DeliveryQueries(DatabaseQueries):
    """Reads deliveries for people and programs."""

    def list_deliveries(
        self, *, claim_id: str | None = None, status: str | None = None, limit: int = 100
    ) -> list[Row]:
        query = select(*_SHOWN).order_by(deliveries.c.created_at.desc(), deliveries.c.id).limit(limit)
        if claim_id is not None:
            query = query.where(literal(claim_id, ID) == any_(deliveries.c.subject_ids))
        return self._rows(query if status is None else query.where(deliveries.c.status == status))

    def find_delivery(self, delivery_id: str) -> Row | None:
        """Finds the delivery with this id, or the only one whose id ends so (6 characters or more)."""
        return self._found(select(*_SHOWN), deliveries.c.id, delivery_id)
