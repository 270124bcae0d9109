"""Groups of news with their digests, why each delivery was made, and silences."""

from alembic import op

revision = "0014"
down_revision = "0013"

_DELIVERIES = """
ALTER TABLE deliveries
    ADD COLUMN code text NOT NULL DEFAULT '',
    ADD COLUMN reason text NOT NULL DEFAULT 'first',
    ADD COLUMN due_at timestamptz,
    ADD COLUMN summary jsonb NOT NULL DEFAULT '{}';
CREATE INDEX deliveries_due ON deliveries (destination, due_at);
CREATE INDEX deliveries_created ON deliveries (created_at);
CREATE INDEX deliveries_of_incidents ON deliveries USING gin (claim_ids) WHERE event LIKE 'incident.%';
"""

_GROUPS = """
CREATE TABLE news_groups (
    id uuid PRIMARY KEY,
    destination text NOT NULL,
    event text NOT NULL,
    code text NOT NULL,
    held boolean NOT NULL,
    messages integer NOT NULL,
    hot_until timestamptz,
    gathering uuid
);
CREATE INDEX news_groups_gathering ON news_groups (gathering) WHERE gathering IS NOT NULL;
"""

_SILENCES = """
CREATE TABLE silences (
    id uuid PRIMARY KEY,
    created_by text NOT NULL,
    why text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    ended_by text,
    codes text[] NOT NULL,
    severities text[] NOT NULL,
    claim_types text[] NOT NULL,
    zones text[] NOT NULL,
    destinations text[] NOT NULL
);
CREATE INDEX silences_ends ON silences (ends_at);
"""


def upgrade() -> None:
    op.execute(_DELIVERIES)
    op.execute(_GROUPS)
    op.execute(_SILENCES)
