"""What is read for a claim follows from its question: what ran under its reservation, and what is still running.

A record with neither energy nor end lacks its energy too, which is a finding from now on.
"""

from alembic import op

revision = "0021"
down_revision = "0020"

_PATIENCE = "SET LOCAL statement_timeout = '1h'"

_RESERVATION = """
CREATE INDEX usage_records_reservation ON usage_records (spot_id, reservation_id)
WHERE current AND reservation_id IS NOT NULL
"""
_UNDER_WAY = """
CREATE INDEX usage_records_under_way ON usage_records (spot_id)
WHERE current AND under_way AND ended_at IS NULL
"""
_ENERGY_MISSING = """
UPDATE usage_records SET findings = ARRAY['ENERGY_MISSING'] || findings
WHERE energy_kwh IS NULL AND ended_at IS NULL AND NOT under_way AND NOT 'ENERGY_MISSING' = ANY(findings)
"""


def upgrade() -> None:
    for statement in (_PATIENCE, _RESERVATION, _UNDER_WAY, _ENERGY_MISSING):
        op.execute(statement)
