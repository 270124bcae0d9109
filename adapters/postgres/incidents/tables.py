"""Incidents as they lie in the database."""

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from adapters.postgres.field.tables import metadata

_moment = DateTime(timezone=True)
_uuid = UUID(as_uuid=False)

incidents = Table(
    "incidents",
    metadata,
    Column("id", _uuid, primary_key=True),
    Column("code", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("opened_at", _moment, nullable=False),
    Column("first_seen_at", _moment, nullable=False),
    Column("last_seen_at", _moment, nullable=False),
    Column("touched_at", _moment, nullable=False),
    Column("status", Text, nullable=False),
    Column("claim_count", Integer, nullable=False),
    Column("peak", Integer, nullable=False),
    Column("told_peak", Integer, nullable=False),
    Column("root_cause", Text),
    Column("acknowledged_at", _moment),
    Column("closed_at", _moment),
    Column("closed_why", Text),
    Column("merged_into", _uuid),
    Column("split_from", _uuid),
    Column("version", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    # However many see it at once, one error in one place is one incident; but for what people take out of one.
    Index(
        "incidents_open",
        "code",
        "kind",
        "place",
        unique=True,
        postgresql_where=text("closed_at IS NULL AND split_from IS NULL"),
    ),
    Index(
        "incidents_closed", "code", "kind", "place", "closed_at", postgresql_where=text("closed_at IS NOT NULL")
    ),
)

incident_claims = Table(
    "incident_claims",
    metadata,
    Column("claim_id", _uuid, primary_key=True),
    Column("incident_id", _uuid, nullable=False),
    Index("incident_claims_incident", "incident_id"),
)
