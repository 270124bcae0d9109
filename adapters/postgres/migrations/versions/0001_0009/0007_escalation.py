"""No escalation on altered evidence either: the trigger of 0004 looks at it too."""

from alembic import op

revision = "0007"
down_revision = "0006"

_TRIGGER = """
DROP TRIGGER claims_approved_on_evidence ON claims;
CREATE TRIGGER claims_approved_on_evidence AFTER UPDATE OF status, stage, escalated_to ON claims FOR EACH ROW
    WHEN (
        NEW.status = 'approved' AND OLD.status <> 'approved'
        OR NEW.stage > OLD.stage AND OLD.stage > 0
        OR NEW.escalated_to IS NOT NULL AND NEW.escalated_to IS DISTINCT FROM OLD.escalated_to
    )
    EXECUTE FUNCTION demand_evidence_as_recorded();
"""


def upgrade() -> None:
    op.execute(_TRIGGER)
