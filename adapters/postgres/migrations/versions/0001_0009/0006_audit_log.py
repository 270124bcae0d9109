"""One log over all audit events, its checkpoints, and a record that the application cannot alter.

Two roles, neither of which may log in, are made once for the whole server:

`spotclaim_audit` owns the audit tables and the function of their triggers, so whoever connects as anybody else can
neither switch the triggers off nor drop them. `spotclaim_app` is what the application needs and no more: of the
audit tables it may read and add to named columns. Give it to the role that the processes connect as
(`GRANT spotclaim_app TO the_login_role`) and let another role run `migrate`. In a simple installation one role
does both: it keeps its other tables and is left SELECT and INSERT on these three.

A role that may create roles could take the ownership back, the owner of the schema may drop what is in it, and a
superuser is bound by nothing: not by grants, not by triggers. The embedded PostgreSQL and the usual container
connect as a superuser. What they alter is revealed by checkpoints that are kept elsewhere, and by nothing else.

Where the migrating role may not create roles, or not give tables away, the triggers alone guard the record, and
the migration says so. A later migration that changes these tables must be run by a superuser, or as
`spotclaim_audit`.
"""

import structlog
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0006"
down_revision = "0005"

log = structlog.get_logger("migrate")

_INSUFFICIENT_PRIVILEGE = "42501"

# What was recorded before waits to be given its position, in portions.
_TABLES = """
CREATE TABLE audit_pending (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    claim_ids uuid[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
CREATE TABLE audit_log (
    position bigint PRIMARY KEY,
    claim_id uuid NOT NULL,
    seq integer NOT NULL,
    leaf bytea NOT NULL
);
CREATE UNIQUE INDEX audit_log_event ON audit_log (claim_id, seq);
CREATE TABLE audit_checkpoints (
    size bigint PRIMARY KEY,
    line text NOT NULL,
    peaks bytea NOT NULL
);
INSERT INTO audit_pending (claim_ids)
SELECT array_agg(id ORDER BY id) FROM (
    SELECT id, (row_number() OVER (ORDER BY id) - 1) / 500 AS part FROM claims
) c
GROUP BY part ORDER BY part;
"""

_APPEND_ONLY = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_checkpoints_append_only BEFORE UPDATE OR DELETE ON audit_checkpoints
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_checkpoints_no_truncate BEFORE TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# Two databases of one server may be migrated at the same moment.
_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{0}') THEN CREATE ROLE {0} NOLOGIN; END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
"""
_ROLES = _ROLE.format("spotclaim_audit") + _ROLE.format("spotclaim_app")

# Tables of later migrations are the application's as well.
_GRANTS = """
GRANT SELECT, INSERT, UPDATE ON faults, usage_records, spots, claims, deliveries, quarantine, api_tokens, policies,
    claim_evidence, evidence_files, delegations
    TO spotclaim_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON steps, audit_pending TO spotclaim_app;
GRANT SELECT ON alembic_version TO spotclaim_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO spotclaim_app;
"""

# Whoever gives a table away must be able to act as its new owner, who must be able to have tables in the schema.
_BORROW = """
DO $$ BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT spotclaim_audit TO %I', current_user);
        GRANT CREATE ON SCHEMA public TO spotclaim_audit;
    END IF;
END $$;
"""
_RETURN = """
DO $$ BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        REVOKE CREATE ON SCHEMA public FROM spotclaim_audit;
        EXECUTE format('REVOKE spotclaim_audit FROM %I', current_user);
    END IF;
END $$;
"""
_GIVE_AWAY = """
ALTER TABLE audit_events OWNER TO spotclaim_audit;
ALTER TABLE audit_log OWNER TO spotclaim_audit;
ALTER TABLE audit_checkpoints OWNER TO spotclaim_audit;
ALTER FUNCTION refuse_change() OWNER TO spotclaim_audit;
ALTER FUNCTION refuse_own_approval() OWNER TO spotclaim_audit;
"""
_RIGHTS = """
SET LOCAL ROLE spotclaim_audit;
REVOKE ALL ON audit_events, audit_log, audit_checkpoints FROM PUBLIC, spotclaim_app, {0};
GRANT SELECT ON audit_events, audit_log, audit_checkpoints TO spotclaim_app, {0};
GRANT INSERT (claim_id, seq, at, actor, kind, body, hash) ON audit_events TO spotclaim_app, {0};
GRANT INSERT (position, claim_id, seq, leaf) ON audit_log TO spotclaim_app, {0};
GRANT INSERT (size, line, peaks) ON audit_checkpoints TO spotclaim_app, {0};
SET LOCAL ROLE NONE;
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_APPEND_ONLY)
    try:
        with op.get_bind().begin_nested():
            _reduce_rights()
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != _INSUFFICIENT_PRIVILEGE:
            raise
        log.warning(
            "audit events are guarded by triggers alone: this role may not make an owner for them; "
            "let a superuser run `spotclaim migrate` on a new database, see the migration 0006",
            refused=str(error.orig).splitlines()[0],
        )


def _reduce_rights() -> None:
    migrating = op.get_bind().exec_driver_sql("SELECT quote_ident(current_user)").scalar_one()
    for statements in (_ROLES, _GRANTS, _BORROW, _GIVE_AWAY, _RIGHTS.format(migrating), _RETURN):
        op.execute(statements)
