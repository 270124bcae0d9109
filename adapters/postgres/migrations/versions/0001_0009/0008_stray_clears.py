"""Clears that belong to no claim are found when what they clear comes after them."""

from alembic import op

revision = "0008"
down_revision = "0007"

_INDEX = """
CREATE INDEX faults_stray ON faults (spot_id, code, occurred_at) WHERE cleared AND claim_id IS NULL;
"""


def upgrade() -> None:
    op.execute(_INDEX)
