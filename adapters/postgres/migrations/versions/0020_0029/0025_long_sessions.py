"""Sessions of more than a day are found by when they ended, however many records with other findings there are."""

from alembic import op

revision = "0025"
down_revision = "0024"

_PATIENCE = "SET LOCAL statement_timeout = '1h'"

_LONG = """
CREATE INDEX usage_records_long ON usage_records (spot_id, ended_at)
WHERE current AND findings @> '{OVER_24_HOURS}'::text[]
"""


def upgrade() -> None:
    for statement in (_PATIENCE, _LONG, "DROP INDEX usage_records_findings"):
        op.execute(statement)
