"""What came in, as it lies in the database: messages, what a station's frames left open, and what was refused."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = MetaData()

_moment = DateTime(timezone=True)
_uuid = UUID(as_uuid=False)


# Where a record without a start lies in time.
_place_in_time = text("COALESCE(started_at, ended_at, recorded_at)")


def _identity_of_message() -> tuple[Column[str], ...]:
    return (
        Column("key", _uuid, primary_key=True),
        Column("source", Text, nullable=False),
        Column("message_id", Text, nullable=False),
    )


faults = Table(
    "faults",
    metadata,
    *_identity_of_message(),
    Column("claim_id", _uuid),
    Column("spot_id", Text, nullable=False),
    Column("connector_id", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("taxonomy", Text, nullable=False),
    Column("raw_code", Text, nullable=False),
    Column("info", Text),
    Column("cleared", Boolean, nullable=False),
    Column("occurred_at", _moment, nullable=False),
    Column("received_at", _moment, nullable=False),
    Column("time_quality", Text, nullable=False),
    Column("stated_time", Text),
    Column("zone", Text),
    Column("affected_user", Text),
    Column("reservation_id", Text),
    Column("session_id", Text),
    Column("description", Text),
    Column("severity_hint", Text),
    Column("evidence", JSONB, nullable=False),
    Column("filed_by", Text),
    # A clear that came before what it clears.
    Index("faults_stray", "spot_id", "code", "occurred_at", postgresql_where=text("cleared AND claim_id IS NULL")),
    # Claims find the evidence that came with their faults; a fault without any costs no entry.
    Index("faults_evidence", "claim_id", postgresql_where=text("evidence <> '[]'::jsonb")),
)

usage_records = Table(
    "usage_records",
    metadata,
    *_identity_of_message(),
    Column("spot_id", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("connector_id", Integer, nullable=False),
    Column("started_at", _moment),
    Column("ended_at", _moment),
    Column("energy_kwh", Double),
    Column("meter_start_kwh", Double),
    Column("meter_stop_kwh", Double),
    Column("reservation_id", Text),
    Column("user", Text),
    Column("stop_reason", Text),
    Column("samples", JSONB, nullable=False),
    Column("findings", ARRAY(Text), nullable=False),
    Column("recorded_at", _moment, nullable=False),
    Column("received_at", _moment, nullable=False),
    # False once a later record of the same session has come; earlier ones are kept as evidence.
    Column("current", Boolean, nullable=False, server_default=text("true")),
    Column("periods_kwh", Double),
    Column("under_way", Boolean, nullable=False, server_default=text("false")),
    Index("usage_records_session", "spot_id", "session_id"),
    Index("usage_records_time", "spot_id", _place_in_time, postgresql_where=text("current")),
    Index(
        "usage_records_findings",
        "spot_id",
        _place_in_time,
        postgresql_where=text("current AND findings <> '{}'::text[]"),
    ),
)

spots = Table(
    "spots",
    metadata,
    *_identity_of_message(),
    Column("spot_id", Text, nullable=False),
    Column("zone", Text),
    Column("site", Text),
    Column("time_zone", Text),
    Column("vendor", Text),
    Column("model", Text),
    Column("firmware", Text),
    Column("max_power_kw", Double),
    Column("commissioned_on", Date),
    Column("warranty_until", Date),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("registered_at", _moment, nullable=False),
    Column("received_at", _moment, nullable=False),
    Index("spots_spot", "spot_id"),
)

ocpp_stations = Table(
    "ocpp_stations",
    metadata,
    Column("station", Text, primary_key=True),
    # Not jsonb, which would forget the order of the keys.
    Column("memory", Text, nullable=False),
    Column("waiting", Boolean, nullable=False),
    Index("ocpp_stations_waiting", "station", postgresql_where=text("waiting")),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("key", _uuid, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("door", Text, nullable=False),
    Column("source", Text),
    Column("message_id", Text),
    Column("received_at", _moment, nullable=False),
    Column("last_received_at", _moment, nullable=False),
    Column("times", Integer, nullable=False, server_default=text("1")),
    # CloudEvents attributes that the bytes do not hold.
    Column("attributes", JSONB),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    # The bytes of the last replay, where they were others.
    Column("edited", LargeBinary),
    # The message that it was taken in as.
    Column("message_key", _uuid),
    Column("settled_at", _moment),
    Column("settled_by", Text),
    Column("settled_why", Text, nullable=False, server_default=text("''")),
    Index("quarantine_open", "reason", postgresql_where=text("state = 'open'::text")),
)
