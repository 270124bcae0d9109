"""Destinations that were added by command: who added them, and until when they were there."""

from alembic import op

revision = "0015"
down_revision = "0014"

_DESTINATIONS = """
CREATE TABLE destinations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    url text NOT NULL,
    shown text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    added_by text NOT NULL,
    removed_at timestamptz,
    removed_by text
);
CREATE UNIQUE INDEX destinations_present ON destinations (name) WHERE removed_at IS NULL;
"""


def upgrade() -> None:
    op.execute(_DESTINATIONS)
