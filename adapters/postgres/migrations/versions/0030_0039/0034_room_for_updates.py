"""Pages of claims keep room: each is updated soon after its opening, and then in place, without the indexes."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.execute("ALTER TABLE claims SET (fillfactor = 45)")
