"""Evidence: items of claims, the bytes of their files, and no approval on a set that was tampered with."""

from alembic import op

revision = "0004"
down_revision = "0003"

_TABLES = """
CREATE TABLE claim_evidence (
    id uuid PRIMARY KEY,
    claim_id uuid NOT NULL,
    kind text NOT NULL,
    added_at timestamptz NOT NULL,
    added_by text NOT NULL,
    content text NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_by text
);
CREATE INDEX claim_evidence_claim ON claim_evidence (claim_id);

CREATE TABLE evidence_files (
    sha256 bytea PRIMARY KEY,
    content bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now()
);
-- Pictures and PDF are compressed already.
ALTER TABLE evidence_files ALTER COLUMN content SET STORAGE EXTERNAL;

ALTER TABLE claims ADD COLUMN evidence_digest bytea NOT NULL DEFAULT '\\x'::bytea;
-- Ids of claims grow with time, so entries go to the end of the index.
CREATE INDEX faults_evidence ON faults (claim_id) WHERE evidence <> '[]'::jsonb;
"""

_KEPT = """
CREATE FUNCTION keep_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL
        AND (NEW.id, NEW.claim_id, NEW.kind, NEW.added_at, NEW.added_by, NEW.content)
          = (OLD.id, OLD.claim_id, OLD.kind, OLD.added_at, OLD.added_by, OLD.content) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'evidence is added and withdrawn, never altered: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION keep_evidence_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'evidence is kept: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER claim_evidence_kept BEFORE UPDATE OR DELETE ON claim_evidence
    FOR EACH ROW EXECUTE FUNCTION keep_evidence();
CREATE TRIGGER claim_evidence_no_truncate BEFORE TRUNCATE ON claim_evidence
    FOR EACH STATEMENT EXECUTE FUNCTION keep_evidence_files();
CREATE TRIGGER evidence_files_kept BEFORE UPDATE OR DELETE ON evidence_files
    FOR EACH ROW EXECUTE FUNCTION keep_evidence_files();
CREATE TRIGGER evidence_files_no_truncate BEFORE TRUNCATE ON evidence_files
    FOR EACH STATEMENT EXECUTE FUNCTION keep_evidence_files();
"""

# The digest as `domain.evidence.item.digest` reckons it. Whenever a stage is passed or the claim approved, the
# digest that it carries must be that of the rows that are there: rows that were slipped in, altered or removed
# behind the application's back stop the approval. Other changes of a claim cost a comparison of a text and two
# integers.
_DIGEST = """
CREATE FUNCTION evidence_digest(claim uuid) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        sha256(convert_to(string_agg(
            id::text || ' ' || kind || ' ' || encode(sha256(convert_to(content, 'UTF8')), 'hex') || E'\\n',
            '' ORDER BY id
        ), 'UTF8')),
        ''::bytea
    ) FROM claim_evidence WHERE claim_id = claim AND withdrawn_at IS NULL
$$;
CREATE FUNCTION demand_evidence_as_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.evidence_digest <> evidence_digest(NEW.id) THEN
        RAISE EXCEPTION 'The evidence of claim % is not what its record says; nobody can approve it.', NEW.id
            USING ERRCODE = 'SC001';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER claims_approved_on_evidence AFTER UPDATE OF status, stage ON claims FOR EACH ROW
    WHEN (
        NEW.status = 'approved' AND OLD.status <> 'approved'
        OR NEW.stage > OLD.stage AND OLD.stage > 0
    )
    EXECUTE FUNCTION demand_evidence_as_recorded();
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_KEPT)
    op.execute(_DIGEST)
