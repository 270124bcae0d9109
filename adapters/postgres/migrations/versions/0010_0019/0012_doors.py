"""What becomes of a message in quarantine, and what the idempotency keys of programs stand for."""

from alembic import op

revision = "0012"
down_revision = "0011"

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

_KEYS = """
CREATE TABLE idempotency_keys (
    key bytea PRIMARY KEY,
    request bytea NOT NULL,
    used_at timestamptz NOT NULL
);
CREATE INDEX idempotency_keys_used ON idempotency_keys (used_at);
"""


def upgrade() -> None:
    op.execute(_QUARANTINE)
    op.execute(_KEYS)
