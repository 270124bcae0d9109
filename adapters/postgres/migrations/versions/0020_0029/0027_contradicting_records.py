"""Records that no longer count are found by their session, and one may take another back."""

from alembic import op

revision = "0027"
down_revision = "0026"

_PATIENCE = "SET LOCAL statement_timeout = '1h'"

_TAKES_BACK = "ALTER TABLE usage_records ADD COLUMN takes_back boolean NOT NULL DEFAULT false"
_SUPERSEDED = "CREATE INDEX usage_records_superseded ON usage_records (spot_id, session_id) WHERE NOT current"


def upgrade() -> None:
    for statement in (_PATIENCE, _TAKES_BACK, _SUPERSEDED):
        op.execute(statement)
