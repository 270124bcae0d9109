"""Messages, claims, their audit events, and the steps that are owed."""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE faults (
    key uuid PRIMARY KEY,
    source text NOT NULL,
    message_id text NOT NULL,
    claim_id uuid,
    spot_id text NOT NULL,
    connector_id integer NOT NULL,
    code text NOT NULL,
    taxonomy text NOT NULL,
    raw_code text NOT NULL,
    info text,
    cleared boolean NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    time_quality text NOT NULL,
    stated_time text,
    zone text,
    affected_user text,
    reservation_id text,
    session_id text,
    description text,
    severity_hint text,
    evidence jsonb NOT NULL,
    filed_by text
);

CREATE TABLE usage_records (
    key uuid PRIMARY KEY,
    source text NOT NULL,
    message_id text NOT NULL,
    spot_id text NOT NULL,
    session_id text NOT NULL,
    connector_id integer NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    energy_kwh double precision,
    meter_start_kwh double precision,
    meter_stop_kwh double precision,
    reservation_id text,
    "user" text,
    stop_reason text,
    samples jsonb NOT NULL,
    findings text[] NOT NULL,
    recorded_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    current boolean NOT NULL DEFAULT true
);
CREATE INDEX usage_records_session ON usage_records (spot_id, session_id);
CREATE INDEX usage_records_time ON usage_records (spot_id, coalesce(started_at, ended_at, recorded_at))
    WHERE current;
CREATE INDEX usage_records_findings ON usage_records (spot_id, coalesce(started_at, ended_at, recorded_at))
    WHERE current AND findings <> '{}'::text[];

CREATE TABLE spots (
    key uuid PRIMARY KEY,
    source text NOT NULL,
    message_id text NOT NULL,
    spot_id text NOT NULL,
    zone text,
    site text,
    time_zone text,
    vendor text,
    model text,
    firmware text,
    max_power_kw double precision,
    commissioned_on date,
    warranty_until date,
    latitude double precision,
    longitude double precision,
    registered_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX spots_spot ON spots (spot_id);

CREATE TABLE claims (
    id uuid PRIMARY KEY,
    spot_id text NOT NULL,
    code text NOT NULL,
    claim_type text NOT NULL,
    severity text NOT NULL,
    status text NOT NULL,
    connector_id integer NOT NULL,
    zone text,
    affected_user text,
    reservation_id text,
    session_id text,
    filed_by text,
    opened_at timestamptz NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    cleared_at timestamptz,
    closed_at timestamptz,
    resolve_due_at timestamptz NOT NULL,
    fault_count integer NOT NULL,
    stage integer NOT NULL,
    stages text[] NOT NULL,
    verdict jsonb,
    policy_version text NOT NULL,
    version integer NOT NULL,
    head bytea NOT NULL
);
CREATE UNIQUE INDEX claims_open ON claims (spot_id, code)
    WHERE status <> ALL (ARRAY['rejected'::text, 'resolved'::text]);

CREATE TABLE audit_events (
    claim_id uuid NOT NULL,
    seq integer NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (claim_id, seq)
);

CREATE TABLE steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    claim_ids uuid[] NOT NULL,
    subject text,
    due_at timestamptz NOT NULL,
    leased_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX steps_due ON steps (due_at);

CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    destination text NOT NULL,
    event text NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    claim_ids uuid[] NOT NULL,
    status text NOT NULL,
    attempts integer NOT NULL,
    answer text NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz
);

CREATE TABLE quarantine (
    key uuid PRIMARY KEY,
    reason text NOT NULL,
    sentence text NOT NULL,
    body bytea NOT NULL,
    size bigint NOT NULL,
    door text NOT NULL,
    source text,
    message_id text,
    received_at timestamptz NOT NULL,
    last_received_at timestamptz NOT NULL,
    times integer NOT NULL DEFAULT 1
);

CREATE TABLE api_tokens (
    digest bytea PRIMARY KEY,
    name text NOT NULL UNIQUE,
    role text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);
"""

_APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_APPEND_ONLY)
