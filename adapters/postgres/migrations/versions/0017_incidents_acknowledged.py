"""Since when somebody sees to an incident."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("ALTER TABLE incidents ADD COLUMN acknowledged_at timestamptz")
