"""The schema as the code sees it. `tests/integration` holds it against what the migrations build."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
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

claims = Table(
    "claims",
    metadata,
    Column("id", _uuid, primary_key=True),
    Column("spot_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("claim_type", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("connector_id", Integer, nullable=False),
    Column("zone", Text),
    Column("affected_user", Text),
    Column("reservation_id", Text),
    Column("session_id", Text),
    Column("filed_by", Text),
    Column("opened_at", _moment, nullable=False),
    Column("first_seen_at", _moment, nullable=False),
    Column("last_seen_at", _moment, nullable=False),
    Column("cleared_at", _moment),
    Column("closed_at", _moment),
    Column("resolve_due_at", _moment, nullable=False),
    Column("fault_count", Integer, nullable=False),
    Column("stage", Integer, nullable=False),
    Column("stages", ARRAY(Text), nullable=False),
    Column("verdict", JSONB),
    Column("policy_version", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    # The rule "one open claim for a spot and an error code", and the way every fault finds its claim.
    Index(
        "claims_open",
        "spot_id",
        "code",
        unique=True,
        postgresql_where=text("status <> ALL (ARRAY['rejected'::text, 'resolved'::text])"),
    ),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("claim_id", _uuid, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", _moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # The very characters that were hashed, so text and not JSONB, which would rewrite them.
    Column("body", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

steps = Table(
    "steps",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("claim_ids", ARRAY(_uuid), nullable=False),
    Column("subject", Text),
    Column("due_at", _moment, nullable=False),
    Column("leased_until", _moment),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    Column("created_at", _moment, nullable=False, server_default=text("now()")),
    Index("steps_due", "due_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _uuid, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("claim_ids", ARRAY(_uuid), nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("finished_at", _moment),
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
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("created_at", _moment, nullable=False, server_default=text("now()")),
    Column("disabled_at", _moment),
)
