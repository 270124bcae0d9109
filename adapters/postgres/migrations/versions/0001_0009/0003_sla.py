"""Clocks that pause: a claim's due dates are set when it is verified, by a policy that is kept."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Claims from before keep the due date that they were opened with; a clock runs for those yet to be verified.
_CHANGES = """
ALTER TABLE claims
    ALTER COLUMN resolve_due_at DROP NOT NULL,
    ADD COLUMN time_zone text,
    ADD COLUMN acknowledge_due_at timestamptz,
    ADD COLUMN acknowledged_at timestamptz,
    ADD COLUMN pauses timestamptz[] NOT NULL DEFAULT '{}'::timestamptz[],
    ADD COLUMN sla_alerts text[] NOT NULL DEFAULT '{}'::text[];
CREATE TABLE policies (
    version text PRIMARY KEY,
    digest text NOT NULL,
    content text NOT NULL,
    first_loaded_at timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    op.execute(_CHANGES)
