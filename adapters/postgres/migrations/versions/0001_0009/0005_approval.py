"""Who approved a claim, who may, and who stands in for whom."""

from alembic import op

revision = "0005"
down_revision = "0004"

_CHANGES = """
ALTER TABLE claims
    ADD COLUMN four_eyes boolean NOT NULL DEFAULT false,
    ADD COLUMN stage_hours double precision,
    ADD COLUMN approved_by text[] NOT NULL DEFAULT '{}',
    ADD COLUMN escalated_to text,
    ADD COLUMN reopened integer NOT NULL DEFAULT 0;

CREATE TABLE delegations (
    id uuid PRIMARY KEY,
    role text NOT NULL,
    of text NOT NULL,
    "to" text NOT NULL,
    until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX delegations_to ON delegations ("to");
"""

# The last line of defence: by whatever door an approval came, its record is refused if it was not theirs to give.
_NO_SELF_APPROVAL = """
CREATE FUNCTION refuse_own_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    claim claims%ROWTYPE;
    names text[] := ARRAY[NEW.actor, NEW.body::jsonb ->> 'on_behalf_of'];
BEGIN
    SELECT * INTO claim FROM claims WHERE id = NEW.claim_id;
    IF claim.filed_by = ANY (names) THEN
        RAISE EXCEPTION 'nobody approves what they filed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF claim.four_eyes AND EXISTS (
        SELECT 1 FROM audit_events e
        WHERE e.claim_id = NEW.claim_id AND e.kind = 'claim.stage_passed' AND e.seq > coalesce(
            (SELECT max(seq) FROM audit_events WHERE claim_id = NEW.claim_id AND kind = 'claim.routed'), 0)
          AND (e.actor = ANY (names) OR e.body::jsonb ->> 'on_behalf_of' = ANY (names))
    ) THEN
        RAISE EXCEPTION 'four eyes: this person approved before' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_events_no_own_approval BEFORE INSERT ON audit_events
    FOR EACH ROW WHEN (NEW.kind IN ('claim.stage_passed', 'claim.approved'))
    EXECUTE FUNCTION refuse_own_approval();
"""


def upgrade() -> None:
    op.execute(_CHANGES)
    op.execute(_NO_SELF_APPROVAL)
