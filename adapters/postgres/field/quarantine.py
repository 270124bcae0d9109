"""Stores messages in quarantine, and what became of them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import orjson
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.postgres.audit.acts import Acts, Audited, chain_columns, sha256_of
from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.queries import DatabaseQueries, Row
from adapters.postgres.statements import selected
from domain.administration.act import Act
from domain.administration.operating_acts import MessageDiscarded, MessageRefused, MessageReplayed
from domain.administration.things import Message
from domain.field.batch import Quarantined
from domain.field.quarantine import DISCARDED, OPEN, REPLAYED, QuarantineEntry

quarantine: Final = Table(
    "quarantine",
    metadata,
    Column("key", ID, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("door", Text, nullable=False),
    Column("source", Text),
    Column("message_id", Text),
    Column("received_at", MOMENT, nullable=False),
    Column("last_received_at", MOMENT, nullable=False),
    Column("times", Integer, nullable=False, server_default=text("1")),
    # CloudEvents attributes that the bytes do not hold.
    Column("attributes", JSONB),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    # The bytes of the last replay, where they were others.
    Column("edited", LargeBinary),
    # The message that it was taken in as.
    Column("message_key", ID),
    Column("settled_at", MOMENT),
    Column("settled_by", Text),
    Column("settled_why", Text, nullable=False, server_default=text("''")),
    Column("editors", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    *chain_columns(),
    Index("quarantine_open", "reason", postgresql_where=text("state = 'open'::text")),
    Index("quarantine_decided", "key", postgresql_where=text("version > 0 OR state <> 'open'::text")),
)

AUDITED: Final = Audited(
    quarantine,
    Message,
    key="key",
    spelled={"body_digest": sha256_of("body"), "edited_digest": sha256_of("edited")},
    # The others wait for a decision.
    where="(version > 0 OR state <> 'open')",
)

_ACTS: Final[dict[str, type[Act]]] = {
    OPEN: MessageRefused,
    REPLAYED: MessageReplayed,
    DISCARDED: MessageDiscarded,
}

# How a key begins that people copy.
_KEY: Final = re.compile(r"[0-9a-fA-F]{1,32}")

_ENTRY: Final = selected(quarantine, QuarantineEntry, as_is=("body", "edited", "message_key"))
_QUARANTINED: Final = f"SELECT {_ENTRY} FROM quarantine WHERE key = %s FOR UPDATE"

_INSERT_QUARANTINE: Final = """
INSERT INTO quarantine AS q (
    key, reason, sentence, body, size, door, source, message_id, attributes, received_at, last_received_at, times
)
SELECT r.key, r.reason, r.sentence, decode(r.body, 'base64'), r.size, r.door, r.source, r.message_id,
    r.attributes, r.received_at, r.received_at, r.times
FROM json_to_recordset(%s::json) AS r(
    key uuid, reason text, sentence text, body text, size bigint, door text, source text, message_id text,
    attributes jsonb, received_at timestamptz, times integer
)
ON CONFLICT (key) DO UPDATE
    SET times = q.times + excluded.times, last_received_at = excluded.last_received_at
"""

_SETTLE_QUARANTINED: Final = """
UPDATE quarantine SET state = %s, reason = %s, sentence = %s, edited = %s, message_key = %s, settled_at = %s,
    settled_by = %s, settled_why = %s, editors = %s
WHERE key = %s
"""


class QuarantineRows(Acts):
    """Reads and writes quarantine within a transaction."""

    def quarantined(self, key: str) -> QuarantineEntry | None:
        for row in self._execute(_QUARANTINED, key):
            entry = QuarantineEntry(*row)
            # They come as views of the driver's memory.
            entry.body, entry.edited = bytes(entry.body), entry.edited and bytes(entry.edited)
            return entry
        return None

    def quarantine(self, items: Sequence[Quarantined]) -> None:
        times = Counter(item.key for item in items)
        once = {item.key: asdict(item) | {"times": times[item.key]} for item in items}
        rows = orjson.dumps([once[key] for key in sorted(once)]).decode()
        self._execute(_INSERT_QUARANTINE, rows)

    def settle_quarantined(self, entry: QuarantineEntry, who: str) -> None:
        self._execute(
            _SETTLE_QUARANTINED,
            entry.state,
            entry.reason,
            entry.sentence,
            entry.edited,
            entry.message_key,
            entry.settled_at,
            entry.settled_by,
            entry.settled_why,
            entry.editors,
            entry.key,
        )
        self.record_act(AUDITED, entry.key, _ACTS[entry.state], who)


class QuarantineQueries(DatabaseQueries):
    """Reads quarantine for people and programs."""

    def list_quarantine(self, *, state: str | None = None, limit: int = 100) -> list[Row]:
        columns = [column for column in quarantine.c if column.name not in ("body", "edited", "version", "head")]
        query = select(*columns).order_by(quarantine.c.last_received_at.desc(), quarantine.c.key).limit(limit)
        return self._rows(query if state is None else query.where(quarantine.c.state == state))

    def find_quarantined(self, key: str) -> Row | None:
        digits = key.replace("-", "")
        if not _KEY.fullmatch(digits):
            return None
        begins_so = quarantine.c.key.between(digits.ljust(32, "0"), digits.ljust(32, "f"))
        columns = [column for column in quarantine.c if column.name not in ("version", "head")]
        found = self._rows(select(*columns).where(begins_so).limit(2))
        return found[0] if len(found) == 1 else None
