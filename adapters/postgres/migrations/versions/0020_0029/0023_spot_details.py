"""A claim has the site, model and firmware of its spot, as its registrations state them."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("ALTER TABLE claims ADD COLUMN site text, ADD COLUMN model text, ADD COLUMN firmware text")
