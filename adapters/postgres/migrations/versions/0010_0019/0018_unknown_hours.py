"""The hours in which a place was silent though it is not at other times."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("ALTER TABLE baseline_places ADD COLUMN unknown_hours timestamptz[] NOT NULL DEFAULT '{}'")
