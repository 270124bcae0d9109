"""The verdict is told once, by its audit event, and a claim that changes stays in its place in the indexes."""

from alembic import op

revision = "0002"
down_revision = "0001"

# Room on every page for the versions that a claim's life leaves behind: then an update that touches no indexed
# column writes no index (PostgreSQL's heap-only tuples). Openness is told by a column that changes once.
_CHANGES = """
ALTER TABLE claims ADD COLUMN verdict_seq integer NOT NULL DEFAULT 0;
UPDATE claims SET verdict_seq = coalesce(
    (SELECT max(seq) FROM audit_events e WHERE e.claim_id = claims.id AND e.kind = 'claim.verified'), 0
);
ALTER TABLE claims DROP COLUMN verdict;
ALTER TABLE claims SET (fillfactor = 50);
DROP INDEX claims_open;
CREATE UNIQUE INDEX claims_open ON claims (spot_id, code) WHERE closed_at IS NULL;
"""


def upgrade() -> None:
    op.execute(_CHANGES)
