"""What a session's periods add up to, and whether its source says that it goes on."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Adding a column without a default, or with a constant one, rewrites no row."""
    op.execute("ALTER TABLE usage_records ADD COLUMN periods_kwh double precision")
    op.execute("ALTER TABLE usage_records ADD COLUMN under_way boolean NOT NULL DEFAULT false")
