"""A claim that is a duplicate names the claim that its reports and its evidence follow to."""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.execute("ALTER TABLE claims ADD COLUMN duplicate_of uuid")
