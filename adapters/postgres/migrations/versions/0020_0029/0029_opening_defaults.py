"""A claim opens without stages: these columns have defaults, as those of its other beginnings."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.execute("ALTER TABLE claims ALTER COLUMN stage SET DEFAULT 0, ALTER COLUMN stages SET DEFAULT '{}'::text[]")
