"""Stores usage records, and settles which record of each session counts."""

from collections.abc import Sequence
from typing import Final

import orjson
from sqlalchemy import Boolean, Column, Double, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.postgres.eligibility.reverification import verify_again
from adapters.postgres.field.message_identity import message_identity
from adapters.postgres.metadata import MOMENT, metadata
from adapters.postgres.row_digest import row_digest
from adapters.postgres.statements import Executor, insert, insert_in_order
from domain.eligibility.contradiction import ROUNDING_KWH
from domain.eligibility.record_findings import OVER_24_HOURS
from domain.field.fault import EARLIEST_PLAUSIBLE_YEAR
from domain.field.usage import SAME_SESSION_WITHIN, SESSION_ORDER, UsageRecord

# Where a record without a start lies in time.
_PLACE_IN_TIME: Final = text("COALESCE(started_at, ended_at, recorded_at)")

# Sessions that began long before what they may have to do with. These very words make PostgreSQL take their index.
LONG: Final = f"findings @> '{{{OVER_24_HOURS}}}'::text[]"

usage_records: Final = Table(
    "usage_records",
    metadata,
    *message_identity(),
    Column("spot_id", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("connector_id", Integer, nullable=False),
    Column("started_at", MOMENT),
    Column("ended_at", MOMENT),
    Column("energy_kwh", Double),
    Column("meter_start_kwh", Double),
    Column("meter_stop_kwh", Double),
    Column("reservation_id", Text),
    Column("user", Text),
    Column("stop_reason", Text),
    Column("samples", JSONB, nullable=False),
    Column("findings", ARRAY(Text), nullable=False),
    Column("recorded_at", MOMENT, nullable=False),
    Column("received_at", MOMENT, nullable=False),
    # False once a later record of the same session has come; earlier ones are kept as evidence.
    Column("current", Boolean, nullable=False, server_default=text("true")),
    Column("periods_kwh", Double),
    Column("under_way", Boolean, nullable=False, server_default=text("false")),
    Column("unknown", JSONB),
    # A credit: it takes another record of the session back, and never counts itself.
    Column("takes_back", Boolean, nullable=False, server_default=text("false")),
    # Most records have none, and those that have some may have long ones.
    Column("signed", JSONB),
    Column("edited_by", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("original_digest", Text),
    Index("usage_records_session", "spot_id", "session_id"),
    Index("usage_records_time", "spot_id", _PLACE_IN_TIME, postgresql_where=text("current")),
    Index("usage_records_long", "spot_id", "ended_at", postgresql_where=text(f"current AND {LONG}")),
    Index(
        "usage_records_reservation",
        "spot_id",
        "reservation_id",
        postgresql_where=text("current AND reservation_id IS NOT NULL"),
    ),
    Index("usage_records_superseded", "spot_id", "session_id", postgresql_where=text("NOT current")),
    Index(
        "usage_records_under_way", "spot_id", postgresql_where=text("current AND under_way AND ended_at IS NULL")
    ),
)

# Whether a record is current still changes as others come; nothing else of it ever does.
USAGE_DIGEST: Final = row_digest(
    "r",
    "connector_id edited_by ended_at energy_kwh findings key message_id meter_start_kwh meter_stop_kwh"
    " original_digest periods_kwh received_at recorded_at reservation_id samples session_id signed source"
    " spot_id started_at stop_reason takes_back under_way unknown user",
)

_WRITTEN: Final = (
    "key",
    "source",
    "message_id",
    "spot_id",
    "session_id",
    "connector_id",
    "started_at",
    "ended_at",
    "energy_kwh",
    "meter_start_kwh",
    "meter_stop_kwh",
    "periods_kwh",
    "under_way",
    "reservation_id",
    "user",
    "stop_reason",
    "samples",
    "unknown",
    "takes_back",
    "signed",
    "edited_by",
    "original_digest",
    "findings",
    "recorded_at",
    "received_at",
)

_INSERT_USAGE: Final = insert(
    usage_records,
    _WRITTEN,
    "ON CONFLICT (key) DO NOTHING",
    # No value rather than JSON's null, which would be parsed whenever the record is read.
    spelled={"signed": "nullif(r->{}, 'null'::jsonb)"},
)

# Two workers that record one session at once would each see only their own record, so writers of one spot take
# turns. Few locks for many spots, always in one order.
_TAKE_TURNS: Final = """
SELECT pg_advisory_xact_lock(7305776, turn) FROM (
    SELECT DISTINCT abs(hashtext(spot_id) %% 64) AS turn FROM unnest(%s::text[]) AS spot_id ORDER BY turn
) AS turns
"""

# Leaves exactly the latest record of each session current, by `SESSION_ORDER`; records of one number that lie far
# apart in time are of several. One index lookup for each number: left to itself, the planner may read them all.
_ORDER: Final = {"final": "(ended_at IS NOT NULL AND NOT under_way)"}
_LATEST_FIRST: Final = ", ".join(f"{_ORDER.get(name, name)} DESC" for name in SESSION_ORDER)
_WHEN: Final = f"""
CASE WHEN started_at >= '{EARLIEST_PLAUSIBLE_YEAR}-01-01' THEN started_at
    WHEN ended_at >= '{EARLIEST_PLAUSIBLE_YEAR}-01-01' THEN ended_at ELSE recorded_at END
"""
# A record whose energy was taken back counts only where there is no other.
_TAKEN_BACK: Final = (
    f"EXISTS (SELECT FROM unnest(returned) AS energy WHERE abs(energy - energy_kwh) <= {ROUNDING_KWH} + 1e-9)"
)
_APART: Final = f"interval '{SAME_SESSION_WITHIN.days} days'"
_SETTLE_USAGE: Final = f"""
UPDATE usage_records t SET current = stated.latest
FROM jsonb_array_elements(%s::jsonb) AS w CROSS JOIN LATERAL (
    SELECT key, current, NOT takes_back AND 1 = row_number() OVER (
        PARTITION BY session ORDER BY takes_back, {_TAKEN_BACK}, {_LATEST_FIRST}
    ) AS latest
    FROM (
        SELECT *, array_agg(energy_kwh) FILTER (WHERE takes_back) OVER (PARTITION BY session) AS returned
        FROM (
            SELECT *, count(*) FILTER (WHERE first) OVER (ORDER BY moment, key) AS session
            FROM (
                SELECT *, moment - lag(moment) OVER (ORDER BY moment, key) > {_APART} AS first
                FROM (
                    SELECT key, current, takes_back, energy_kwh, recorded_at, ended_at, under_way,
                        {_WHEN} AS moment
                    FROM usage_records WHERE spot_id = w->>0 AND session_id = w->>1
                ) AS numbered
            ) AS placed
        ) AS grouped
    ) AS credited
) AS stated
WHERE t.key = stated.key AND stated.current <> stated.latest
"""


class UsageRows(Executor):
    """Writes usage records within a transaction."""

    def record_usage(self, records: Sequence[UsageRecord]) -> int:
        spots = sorted({record.spot_id for record in records})
        self._execute(_TAKE_TURNS, spots)
        new = insert_in_order(self._execute, _INSERT_USAGE, records)
        if new:
            sessions = {(record.spot_id, record.session_id) for record in records}
            self._execute(_SETTLE_USAGE, orjson.dumps(list(sessions)).decode())
            verify_again(self._execute, spots)
        return new
