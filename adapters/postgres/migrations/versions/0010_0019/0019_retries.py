"""Attempts of deliveries before the present one, which count against a destination's limit."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute("ALTER TABLE deliveries ADD COLUMN tried_at timestamptz[] NOT NULL DEFAULT '{}'")
