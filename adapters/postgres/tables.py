"""Claims and all that is kept of them. With `message_tables` this is the schema as the code sees it: `metadata`,
which `tests/integration` holds against what the migrations build.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from adapters.postgres.field.tables import metadata as metadata
from adapters.postgres.incidents.baseline_tables import baseline_places as baseline_places
from adapters.postgres.incidents.baseline_tables import baseline_thresholds as baseline_thresholds
from adapters.postgres.incidents.baseline_tables import baselines as baselines
from adapters.postgres.incidents.tables import incident_claims as incident_claims
from adapters.postgres.incidents.tables import incidents as incidents

_moment = DateTime(timezone=True)
_uuid = UUID(as_uuid=False)

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
    Column("also_filed_by", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("opened_at", _moment, nullable=False),
    Column("first_seen_at", _moment, nullable=False),
    Column("last_seen_at", _moment, nullable=False),
    Column("cleared_at", _moment),
    Column("closed_at", _moment),
    Column("fault_count", Integer, nullable=False),
    Column("stage", Integer, nullable=False),
    Column("stages", ARRAY(Text), nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    # The audit event that holds the verdict.
    Column("verdict_seq", Integer, nullable=False, server_default=text("0")),
    Column("four_eyes", Boolean, nullable=False, server_default=text("false")),
    Column("stage_hours", Double),
    Column("approved_by", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("escalated_to", Text),
    Column("reopened", Integer, nullable=False, server_default=text("0")),
    # Empty until verification binds the clocks; a due date also while a pause keeps it open.
    Column("time_zone", Text),
    Column("acknowledge_due_at", _moment),
    Column("resolve_due_at", _moment),
    Column("acknowledged_at", _moment),
    Column("pauses", ARRAY(_moment), nullable=False, server_default=text("'{}'::timestamptz[]")),
    Column("sla_alerts", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    # Empty while nothing is filed.
    Column("evidence_digest", LargeBinary, nullable=False, server_default=text("'\\x'::bytea")),
    # The rule "one open claim for a spot and an error code", and the way every fault finds its claim.
    Index("claims_open", "spot_id", "code", unique=True, postgresql_where=text("closed_at IS NULL")),
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

claim_evidence = Table(
    "claim_evidence",
    metadata,
    Column("id", _uuid, primary_key=True),
    Column("claim_id", _uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("added_at", _moment, nullable=False),
    Column("added_by", Text, nullable=False),
    # The very characters that the digest of the set covers, so text and not JSONB.
    Column("content", Text, nullable=False),
    Column("withdrawn_at", _moment),
    Column("withdrawn_by", Text),
    Index("claim_evidence_claim", "claim_id"),
)

evidence_files = Table(
    "evidence_files",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("stored_at", _moment, nullable=False, server_default=text("now()")),
)

# Whose events wait for their position in the log: one row for each transaction that added some.
audit_pending = Table(
    "audit_pending",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("claim_ids", ARRAY(_uuid), nullable=False),
)

# Every audit event once, in one order. Positions begin at 0; `leaf` is the event's leaf in the Merkle tree.
audit_log = Table(
    "audit_log",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("claim_id", _uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Index("audit_log_event", "claim_id", "seq", unique=True),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    # The signed checkpoint as it is kept elsewhere too, and what the tree needs to grow on from it.
    Column("line", Text, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
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
    Column("code", Text, nullable=False, server_default=text("''::text")),
    Column("reason", Text, nullable=False, server_default=text("'first'::text")),
    Column("due_at", _moment),
    Column("summary", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("tried_at", ARRAY(_moment), nullable=False, server_default=text("'{}'::timestamptz[]")),
    Index("deliveries_due", "destination", "due_at"),
    Index("deliveries_created", "created_at"),
    Index(
        "deliveries_of_incidents",
        "claim_ids",
        postgresql_using="gin",
        postgresql_where=text("event ~~ 'incident.%'::text"),
    ),
)

# What belongs together for one destination; the id follows from the others. Few, and each lasts.
news_groups = Table(
    "news_groups",
    metadata,
    Column("id", _uuid, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("hot_until", _moment),
    # The delivery that gathers news until it is due.
    Column("gathering", _uuid),
    Index("news_groups_gathering", "gathering", postgresql_where=text("gathering IS NOT NULL")),
)

# News that waits for its digest, as it was when it happened; gone when the digest goes.
gathered_news = Table(
    "gathered_news",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("delivery_id", _uuid, nullable=False),
    Column("news", JSONB, nullable=False),
    Index("gathered_news_delivery", "delivery_id"),
)

# Rows stay: they tell who silenced what, when and why.
silences = Table(
    "silences",
    metadata,
    Column("id", _uuid, primary_key=True),
    Column("created_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("created_at", _moment, nullable=False, server_default=text("now()")),
    Column("starts_at", _moment, nullable=False),
    # When it ends or was ended, and who ended it before its time.
    Column("ends_at", _moment, nullable=False),
    Column("ended_by", Text),
    Column("codes", ARRAY(Text), nullable=False),
    Column("severities", ARRAY(Text), nullable=False),
    Column("claim_types", ARRAY(Text), nullable=False),
    Column("zones", ARRAY(Text), nullable=False),
    Column("destinations", ARRAY(Text), nullable=False),
    Index("silences_ends", "ends_at"),
)

# Digests of a program's name with its key, and of the request that the key stands for.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("used_at", _moment, nullable=False),
    Index("idempotency_keys_used", "used_at"),
)

delegations = Table(
    "delegations",
    metadata,
    Column("id", _uuid, primary_key=True),
    Column("role", Text, nullable=False),
    Column("of", Text, nullable=False),
    Column("to", Text, nullable=False),
    Column("until", _moment, nullable=False),
    Column("created_at", _moment, nullable=False, server_default=text("now()")),
    Column("revoked_at", _moment),
    Index("delegations_to", "to"),
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

policies = Table(
    "policies",
    metadata,
    Column("version", Text, primary_key=True),
    # SHA-256 of the content, which is canonical JSON, in hexadecimal digits.
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("first_loaded_at", _moment, nullable=False, server_default=text("now()")),
)

# The URL holds secrets, and is emptied when the destination ends; `shown` is what of it people may see.
destinations = Table(
    "destinations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("added_at", _moment, nullable=False, server_default=text("now()")),
    Column("added_by", Text, nullable=False),
    Column("removed_at", _moment),
    Column("removed_by", Text),
    Index("destinations_present", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
)
