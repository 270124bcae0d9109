"""A usage record that was edited before it was replayed says by whom, and what the original bytes were."""

from alembic import op

revision = "0033"
down_revision = "0032"

# A default that is constant costs no rewriting of the table.
_USAGE = """
ALTER TABLE usage_records ADD COLUMN edited_by text[] NOT NULL DEFAULT '{}', ADD COLUMN original_digest text
"""


def upgrade() -> None:
    op.execute(_USAGE)
