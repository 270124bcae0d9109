"""Messages keep the fields that their type does not know."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    for table in ("faults", "usage_records", "spots"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN unknown jsonb")
