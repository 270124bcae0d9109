"""What becomes of a message in quarantine: replayed or discarded, by whom, when and why."""

from alembic import op

revision = "0009"
down_revision = "0008"

_QUARANTINE = """
ALTER TABLE quarantine
    ADD COLUMN attributes jsonb,
    ADD COLUMN state text NOT NULL DEFAULT 'open',
    ADD COLUMN edited bytea,
    ADD COLUMN message_key uuid,
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by text,
    ADD COLUMN settled_why text NOT NULL DEFAULT '';
CREATE INDEX quarantine_open ON quarantine (reason) WHERE state = 'open';
"""


def upgrade() -> None:
    op.execute(_QUARANTINE)
