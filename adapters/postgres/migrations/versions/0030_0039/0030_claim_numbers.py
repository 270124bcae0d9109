"""A claim has a number that people can say; those that were opened before have none."""

from alembic import op

revision = "0030"
down_revision = "0029"

_NUMBERED = """
CREATE SEQUENCE claim_numbers;
GRANT USAGE ON SEQUENCE claim_numbers TO spotclaim_app;
ALTER TABLE claims ADD COLUMN number text UNIQUE;
"""


def upgrade() -> None:
    op.execute(_NUMBERED)
