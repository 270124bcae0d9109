"""Incidents, and which claims belong to them."""

from alembic import op

revision = "0013"
down_revision = "0012"

_TABLES = """
CREATE TABLE incidents (
    id uuid PRIMARY KEY,
    code text NOT NULL,
    kind text NOT NULL,
    place text NOT NULL,
    threshold integer NOT NULL,
    opened_at timestamptz NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    touched_at timestamptz NOT NULL,
    status text NOT NULL,
    claim_count integer NOT NULL,
    peak integer NOT NULL,
    told_peak integer NOT NULL,
    root_cause text,
    closed_at timestamptz,
    closed_why text,
    merged_into uuid,
    split_from uuid,
    version integer NOT NULL,
    head bytea NOT NULL
);
-- However many see it at once, one error in one place is one incident; but for what people take out of one.
CREATE UNIQUE INDEX incidents_open ON incidents (code, kind, place) WHERE closed_at IS NULL AND split_from IS NULL;
CREATE INDEX incidents_closed ON incidents (code, kind, place, closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE incident_claims (
    claim_id uuid PRIMARY KEY,
    incident_id uuid NOT NULL
);
CREATE INDEX incident_claims_incident ON incident_claims (incident_id);
"""


def upgrade() -> None:
    op.execute(_TABLES)
