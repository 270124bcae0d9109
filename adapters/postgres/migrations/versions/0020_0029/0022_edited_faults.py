"""A fault that was edited before it was replayed says by whom, and what the original bytes were."""

from alembic import op

revision = "0022"
down_revision = "0021"

# A default that is constant costs no rewriting of the tables.
_FAULTS = """
ALTER TABLE faults ADD COLUMN edited_by text[] NOT NULL DEFAULT '{}', ADD COLUMN original_digest text
"""
_QUARANTINE = "ALTER TABLE quarantine ADD COLUMN editors text[] NOT NULL DEFAULT '{}'"


def upgrade() -> None:
    op.execute(_FAULTS)
    op.execute(_QUARANTINE)
