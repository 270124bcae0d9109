"""Nobody approves a claim that they reported again either: the trigger of 0005 looks at them too. Besides, what is
owed to claims that are reviewed anew is owed under the name that tells one review from the next.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

_CHANGES = """
ALTER TABLE claims ADD COLUMN also_filed_by text[] NOT NULL DEFAULT '{}';

UPDATE claims c SET also_filed_by = f.names FROM (
    SELECT c.id, array_agg(DISTINCT f.filed_by) AS names
    FROM claims c JOIN faults f ON f.claim_id = c.id
    WHERE NOT f.cleared AND f.filed_by IS DISTINCT FROM c.filed_by AND f.filed_by IS NOT NULL
    GROUP BY c.id
) f WHERE f.id = c.id;
"""

# Where a claim stands tells one review from the next by now (`domain.claims.claim.Claim.standing`). What is owed
# to one that waited before is owed under that name too; under the old one it finds nothing and goes.
_STANDING = """
INSERT INTO steps (kind, claim_ids, subject, due_at)
SELECT s.kind, array_agg(c.id), s.subject || '\\:resumed ' || cardinality(c.pauses) / 2, s.due_at
FROM steps s JOIN claims c ON c.id = ANY (s.claim_ids)
WHERE s.kind IN ('announce', 'escalate') AND s.subject LIKE '%:%' AND cardinality(c.pauses) >= 2
GROUP BY s.id, cardinality(c.pauses) / 2;
"""

# The function belongs to the owner of the record, if there is one (see 0006), and only its owner may replace it.
_BORROW = """
DO $$ BEGIN
    IF NOT pg_has_role((SELECT proowner FROM pg_proc WHERE oid = 'refuse_own_approval()'::regprocedure), 'USAGE')
    THEN
        EXECUTE format('GRANT spotclaim_audit TO %I', current_user);
    END IF;
END $$;
"""
_RETURN = """
DO $$ BEGIN
    IF EXISTS (
        SELECT FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner, pg_roles me
        WHERE p.oid = 'refuse_own_approval()'::regprocedure
          AND o.rolname = 'spotclaim_audit' AND me.rolname = current_user AND NOT me.rolsuper
    ) THEN
        EXECUTE format('REVOKE spotclaim_audit FROM %I', current_user);
    END IF;
END $$;
"""

_NO_SELF_APPROVAL = """
CREATE OR REPLACE FUNCTION refuse_own_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    claim claims%ROWTYPE;
    names text[] := ARRAY[NEW.actor, NEW.body::jsonb ->> 'on_behalf_of'];
BEGIN
    SELECT * INTO claim FROM claims WHERE id = NEW.claim_id;
    IF claim.filed_by = ANY (names) OR claim.also_filed_by && names THEN
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
"""


def upgrade() -> None:
    op.execute(_CHANGES)
    op.execute(_STANDING)
    op.execute(_BORROW)
    op.execute(_NO_SELF_APPROVAL)
    op.execute(_RETURN)
