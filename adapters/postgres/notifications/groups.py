"""Stores groups of notices, and the notices that wait for a digest."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.statements import Executor, as_array, insert, selected, update
from domain.notifications.group import NotificationGroup
from domain.notifications.notice import Notice

# What belongs together for one destination; the id follows from the others. Few, and each lasts.
notification_groups: Final = Table(
    "notification_groups",
    metadata,
    Column("id", ID, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("open_until", MOMENT),
    # The delivery that collects notices until it is due.
    Column("collecting", ID),
    Index("notification_groups_collecting", "collecting", postgresql_where=text("collecting IS NOT NULL")),
)

# Notices that wait for their digest, as they were when it happened; gone when the digest goes.
collected_notices: Final = Table(
    "collected_notices",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("delivery_id", ID, nullable=False),
    Column("notice", JSONB, nullable=False),
    Index("collected_notices_delivery", "delivery_id"),
)

# Written once, when the group is made.
_FIXED: Final = ("id", "destination", "event", "code", "held")
# Written with every change.
_MOVING: Final = ("messages", "open_until", "collecting")
_COLLECTED: Final = ("delivery_id", "notice")

_GROUP: Final = f"SELECT {selected(notification_groups, NotificationGroup)} FROM notification_groups"
_GROUPS: Final = f"{_GROUP} WHERE id = ANY(%s::uuid[]) ORDER BY notification_groups.id FOR UPDATE"
_COLLECTING: Final = f"{_GROUP} WHERE collecting = ANY(%s::uuid[]) ORDER BY notification_groups.id FOR UPDATE"

_INSERT_GROUPS: Final = insert(
    notification_groups, _FIXED + _MOVING, "ORDER BY (r->>0)::uuid ON CONFLICT (id) DO NOTHING"
)
UPDATE_GROUPS: Final = update(notification_groups, _MOVING)
INSERT_COLLECTED: Final = insert(collected_notices, _COLLECTED)
_TAKE_COLLECTED: Final = """
WITH taken AS (DELETE FROM collected_notices WHERE delivery_id = ANY(%s::uuid[]) RETURNING id, delivery_id, notice)
SELECT delivery_id::text, notice FROM taken ORDER BY id
"""


class GroupRows(Executor):
    """Reads groups of notices within a transaction, and takes what they collected."""

    def notification_groups(self, wanted: Sequence[NotificationGroup]) -> list[NotificationGroup]:
        once = {group.id: group for group in wanted}
        self._execute(_INSERT_GROUPS.sql, _INSERT_GROUPS.rows(once.values()))
        return [NotificationGroup(*row) for row in self._execute(_GROUPS, as_array(once))]

    def collecting(self, delivery_ids: Sequence[str]) -> list[NotificationGroup]:
        return [NotificationGroup(*row) for row in self._execute(_COLLECTING, as_array(delivery_ids))]

    def take_collected(self, delivery_ids: Sequence[str]) -> dict[str, list[Notice]]:
        collected: dict[str, list[Notice]] = {}
        for delivery_id, notice in self._execute(_TAKE_COLLECTED, as_array(delivery_ids)):
            collected.setdefault(delivery_id, []).append(Notice(**notice))
        return collected
