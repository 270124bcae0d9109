"""Events, steps and deliveries are about a subject, a claim or an incident, and steps have typed payloads.

Events used to leave out some of what a row holds. Every claim and incident gets one event that restates it, so
that `audit verify` finds from then on whatever is altered. Run `audit verify` before: what is altered by then is
restated as it is, unless its chain is broken, which stays as it is found.

The audit tables belong to `spotclaim_audit` (migration 0006). A role that migrates without being a superuser must
be able to act as that role.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from alembic import op
from sqlalchemy import Connection

revision = "0020"
down_revision = "0019"

# All of a table is rewritten here and there.
_PATIENCE = "SET LOCAL statement_timeout = '1h'"

_BORROW = """
DO $$ BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        AND (SELECT tableowner FROM pg_tables WHERE tablename = 'audit_events') = 'spotclaim_audit' THEN
        EXECUTE format('GRANT spotclaim_audit TO %I', current_user);
        GRANT CREATE ON SCHEMA public TO spotclaim_audit;
    END IF;
END $$;
"""
_RETURN = """
DO $$ BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        AND (SELECT tableowner FROM pg_tables WHERE tablename = 'audit_events') = 'spotclaim_audit' THEN
        REVOKE CREATE ON SCHEMA public FROM spotclaim_audit;
        EXECUTE format('REVOKE spotclaim_audit FROM %I', current_user);
    END IF;
END $$;
"""

_AUDIT = """
ALTER TABLE audit_events RENAME COLUMN claim_id TO subject_id;
ALTER TABLE audit_events
    ADD COLUMN subject_kind text NOT NULL GENERATED ALWAYS AS (split_part(kind, '.', 1)) STORED;
ALTER TABLE audit_log RENAME COLUMN claim_id TO subject_id;
CREATE OR REPLACE FUNCTION refuse_own_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    claim claims%ROWTYPE;
    names text[] := ARRAY[NEW.actor, NEW.body::jsonb ->> 'on_behalf_of'];
BEGIN
    SELECT * INTO claim FROM claims WHERE id = NEW.subject_id;
    IF claim.filed_by = ANY (names) OR claim.also_filed_by && names THEN
        RAISE EXCEPTION 'nobody approves what they filed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF claim.four_eyes AND EXISTS (
        SELECT 1 FROM audit_events e
        WHERE e.subject_id = NEW.subject_id AND e.kind = 'claim.stage_passed' AND e.seq > coalesce(
            (SELECT max(seq) FROM audit_events WHERE subject_id = NEW.subject_id AND kind = 'claim.routed'), 0)
          AND (e.actor = ANY (names) OR e.body::jsonb ->> 'on_behalf_of' = ANY (names))
    ) THEN
        RAISE EXCEPTION 'four eyes: this person approved before' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
"""
_PENDING = "ALTER TABLE audit_pending RENAME COLUMN claim_ids TO subject_ids"

_STEPS = """
ALTER TABLE steps RENAME COLUMN claim_ids TO subject_ids;
ALTER TABLE steps ADD COLUMN subject_kind text NOT NULL DEFAULT 'claim',
    ADD COLUMN payload jsonb NOT NULL DEFAULT '{}';
UPDATE steps SET payload = jsonb_build_object('state_key', subject) WHERE kind = 'escalate';
UPDATE steps SET payload = jsonb_build_object('pauses', subject::integer) WHERE kind = 'clock';
UPDATE steps SET subject_kind = 'incident', subject_ids = ARRAY[subject::uuid] WHERE kind = 'incident';
UPDATE steps SET subject_kind = split_part(subject, '.', 1), payload = jsonb_build_object('event', subject)
    WHERE kind = 'announce' AND subject LIKE 'incident.%';
UPDATE steps SET payload = jsonb_build_object('event', subject) WHERE kind = 'announce' AND subject LIKE 'sla\\_%';
UPDATE steps SET payload = jsonb_build_object('state_key', subject) WHERE kind = 'announce' AND payload = '{}';
UPDATE steps SET subject_kind = split_part(split_part(subject, '|', 2), '.', 1), payload = jsonb_build_object(
        'reason', split_part(subject, '|', 1), 'occasion', split_part(subject, '|', 2),
        'destination', regexp_replace(subject, '^[^|]*[|][^|]*[|]', ''))
    WHERE kind = 'remind';
UPDATE steps SET kind = 'notified', payload = jsonb_build_object('delivery_id', subject),
        subject_kind = split_part((SELECT event FROM deliveries d WHERE d.id = subject::uuid), '.', 1)
    WHERE kind = 'told';
UPDATE steps SET payload = jsonb_build_object(
        'destination', (SELECT destination FROM deliveries d WHERE d.id = subject::uuid))
    WHERE kind = 'deliver';
UPDATE steps SET subject_kind = 'delivery', subject_ids = ARRAY[subject::uuid]
    WHERE kind IN ('deliver', 'digest', 'retry');
ALTER TABLE steps DROP COLUMN subject;
"""

_DELIVERIES = """
ALTER TABLE deliveries RENAME COLUMN claim_ids TO subject_ids;
ALTER TABLE deliveries ADD COLUMN subject_kind text NOT NULL DEFAULT 'claim';
UPDATE deliveries SET subject_kind = 'incident' WHERE event LIKE 'incident.%';
DROP INDEX deliveries_of_incidents;
CREATE INDEX deliveries_of_incidents ON deliveries USING gin (subject_ids) WHERE subject_kind = 'incident';
ALTER TABLE news_groups RENAME TO notification_groups;
ALTER TABLE notification_groups RENAME COLUMN hot_until TO open_until;
ALTER TABLE notification_groups RENAME COLUMN gathering TO collecting;
ALTER INDEX news_groups_gathering RENAME TO notification_groups_collecting;
ALTER TABLE gathered_news RENAME TO collected_notices;
ALTER TABLE collected_notices RENAME COLUMN news TO notice;
ALTER INDEX gathered_news_delivery RENAME TO collected_notices_delivery;
"""

_CLAIM = (
    *("spot_id", "code", "claim_type", "severity", "status", "opened_at", "first_seen_at", "last_seen_at"),
    *("policy_version", "connector_id", "zone", "affected_user", "reservation_id", "session_id", "filed_by"),
    *("also_filed_by", "cleared_at", "closed_at", "fault_count", "stage", "stages", "four_eyes", "stage_hours"),
    *("approved_by", "escalated_to", "reopened", "verdict_seq", "time_zone", "acknowledge_due_at"),
    *("resolve_due_at", "acknowledged_at", "pauses", "sla_alerts", "evidence_digest"),
)
_INCIDENT = (
    *("code", "kind", "place", "threshold", "opened_at", "first_seen_at", "last_seen_at", "touched_at", "status"),
    *("claim_count", "peak", "told_peak", "acknowledged_at", "root_cause", "closed_at", "closed_why"),
    *("merged_into::text", "split_from::text"),
)
_AT_ONCE = 1000

_SOUND = """
SELECT t.id::text, t.version, encode(t.head, 'hex'), {wanted} FROM {table} t CROSS JOIN LATERAL (
    SELECT seq, hash FROM audit_events e WHERE e.subject_id = t.id ORDER BY seq DESC LIMIT 1
) last WHERE t.id > %s::uuid AND last.seq = t.version AND last.hash = t.head ORDER BY t.id LIMIT %s
"""
_INSERT = """
INSERT INTO audit_events (subject_id, seq, at, actor, kind, body, hash)
SELECT (r->>0)::uuid, (r->>1)::integer, (r->>2)::timestamptz, r->>3, r->>4, r->>5, decode(r->>6, 'hex')
FROM jsonb_array_elements(%s::jsonb) AS r
"""
_MOVE = """
UPDATE {table} t SET version = (r->>1)::integer, head = decode(r->>6, 'hex')
FROM jsonb_array_elements(%s::jsonb) AS r WHERE t.id = (r->>0)::uuid
"""


def upgrade() -> None:
    for statements in (_PATIENCE, _BORROW, _AUDIT, _RETURN, _PENDING, _STEPS, _DELIVERIES):
        op.execute(statements)
    now = datetime.now(UTC)
    _restate(op.get_bind(), "claims", "claim.restated", _CLAIM, now)
    _restate(op.get_bind(), "incidents", "incident.restated", _INCIDENT, now)


def _restate(connection: Connection, table: str, kind: str, columns: tuple[str, ...], now: datetime) -> None:
    """Adds the next event to every chain of a table, and moves its row on to it."""
    after = "00000000-0000-0000-0000-000000000000"
    wanted = ", ".join(f"t.{name}" for name in columns)
    while True:
        rows = connection.exec_driver_sql(
            _SOUND.format(wanted=wanted, table=table),
            (after, _AT_ONCE),
        ).all()
        if not rows:
            return
        events = [_event(row, kind, columns, now) for row in rows]
        parameters = json.dumps(events)
        connection.exec_driver_sql(_INSERT, (parameters,))
        connection.exec_driver_sql(_MOVE.format(table=table), (parameters,))
        after = rows[-1][0]
        connection.exec_driver_sql(
            "INSERT INTO audit_pending (subject_ids) VALUES (%s::uuid[])", ([row[0] for row in rows],)
        )


def _event(row: Any, kind: str, columns: tuple[str, ...], now: datetime) -> list[Any]:
    subject_id, version, head, *values = row
    names = [name.partition("::")[0] for name in columns]
    stated = {name: _spelled(value) for name, value in zip(names, values, strict=True)}
    body = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    at, actor, seq = _spelled(now), "migration:0020", version + 1
    text = f"{subject_id}\n{seq}\n{at}\n{actor}\n{kind}\n{body}"
    digest = hashlib.sha256(bytes.fromhex(head) + text.encode()).hexdigest()
    return [subject_id, seq, at, actor, kind, body, digest]


def _spelled(value: Any) -> Any:
    """A value as events state it: moments in UTC with microseconds, digests in hexadecimal digits."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
    if isinstance(value, memoryview | bytes):
        return bytes(value).hex()
    return [_spelled(item) for item in value] if isinstance(value, list) else value
