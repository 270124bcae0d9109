"""The statements that write a batch.

Every table gets one statement whose rows are one JSON parameter: on the hot path that costs a tenth of row-wise
parameters. `json_to_recordset` and not `jsonb_`: the text is read once and thrown away.
"""

from typing import Final

_FAULT = {
    "key": "uuid",
    "source": "text",
    "message_id": "text",
    "claim_id": "uuid",
    "spot_id": "text",
    "connector_id": "integer",
    "code": "text",
    "taxonomy": "text",
    "raw_code": "text",
    "info": "text",
    "cleared": "boolean",
    "occurred_at": "timestamptz",
    "received_at": "timestamptz",
    "time_quality": "text",
    "stated_time": "text",
    "zone": "text",
    "affected_user": "text",
    "reservation_id": "text",
    "session_id": "text",
    "description": "text",
    "severity_hint": "text",
    "evidence": "jsonb",
    "filed_by": "text",
}

_CLAIM_FIXED = {
    "id": "uuid",
    "spot_id": "text",
    "code": "text",
    "claim_type": "text",
    "connector_id": "integer",
    "zone": "text",
    "affected_user": "text",
    "reservation_id": "text",
    "session_id": "text",
    "filed_by": "text",
    "opened_at": "timestamptz",
    "policy_version": "text",
    "resolve_due_at": "timestamptz",
    "severity": "text",
}

_CLAIM_MOVING = {
    "status": "text",
    "first_seen_at": "timestamptz",
    "last_seen_at": "timestamptz",
    "cleared_at": "timestamptz",
    "closed_at": "timestamptz",
    "fault_count": "integer",
    "stage": "integer",
    "stages": "text[]",
    "verdict": "jsonb",
    "version": "integer",
}

_EVENT = {
    "claim_id": "uuid",
    "seq": "integer",
    "at": "timestamptz",
    "actor": "text",
    "kind": "text",
    "body": "text",
}

_STEP = {"kind": "text", "claim_ids": "uuid[]", "subject": "text", "due_at": "timestamptz", "attempts": "integer"}

_DELIVERY_FIXED = {
    "id": "uuid",
    "destination": "text",
    "event": "text",
    "title": "text",
    "body": "text",
    "claim_ids": "uuid[]",
    "created_at": "timestamptz",
}
_DELIVERY_MOVING = {"status": "text", "attempts": "integer", "answer": "text", "finished_at": "timestamptz"}

_USAGE = {
    "key": "uuid",
    "source": "text",
    "message_id": "text",
    "spot_id": "text",
    "session_id": "text",
    "connector_id": "integer",
    "started_at": "timestamptz",
    "ended_at": "timestamptz",
    "energy_kwh": "double precision",
    "meter_start_kwh": "double precision",
    "meter_stop_kwh": "double precision",
    "reservation_id": "text",
    '"user"': "text",
    "stop_reason": "text",
    "samples": "jsonb",
    "findings": "text[]",
    "recorded_at": "timestamptz",
    "received_at": "timestamptz",
}

_SPOT = {
    "key": "uuid",
    "source": "text",
    "message_id": "text",
    "spot_id": "text",
    "zone": "text",
    "site": "text",
    "time_zone": "text",
    "vendor": "text",
    "model": "text",
    "firmware": "text",
    "max_power_kw": "double precision",
    "commissioned_on": "date",
    "warranty_until": "date",
    "latitude": "double precision",
    "longitude": "double precision",
    "registered_at": "timestamptz",
    "received_at": "timestamptz",
}


def _rows(columns: dict[str, str]) -> str:
    return f"json_to_recordset(%s::json) AS r({', '.join(f'{name} {kind}' for name, kind in columns.items())})"


def _insert(table: str, columns: dict[str, str], tail: str = "") -> str:
    names = ", ".join(columns)
    values = ", ".join(f"r.{name}" for name in columns)
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {_rows(columns)} {tail}"


def _hashed(table: str, columns: dict[str, str], digest: str) -> str:
    """Like `_insert`, with one column that comes as hexadecimal text and is stored as bytes."""
    names = ", ".join([*columns, digest])
    values = ", ".join([*(f"r.{name}" for name in columns), f"decode(r.{digest}, 'hex')"])
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {_rows(columns | {digest: 'text'})}"


def _update(table: str, columns: dict[str, str], extra: str = "", more: dict[str, str] | None = None) -> str:
    changes = ", ".join(f"{name} = r.{name}" for name in columns)
    rows = _rows({"id": "uuid"} | columns | (more or {}))
    return f"UPDATE {table} t SET {changes}{extra} FROM {rows} WHERE t.id = r.id"


INSERT_FAULTS: Final = _insert("faults", _FAULT)
INSERT_CLAIMS: Final = _hashed("claims", _CLAIM_FIXED | _CLAIM_MOVING, "head")
UPDATE_CLAIMS: Final = _update("claims", _CLAIM_MOVING, ", head = decode(r.head, 'hex')", {"head": "text"})
INSERT_EVENTS: Final = _hashed("audit_events", _EVENT, "hash")
INSERT_DELIVERIES: Final = _insert(
    "deliveries",
    _DELIVERY_FIXED | _DELIVERY_MOVING,
    "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _DELIVERY_MOVING),
)
INSERT_STEPS: Final = (
    "INSERT INTO steps (kind, claim_ids, subject, attempts, due_at) "
    f"SELECT r.kind, r.claim_ids, r.subject, r.attempts, coalesce(r.due_at, now()) FROM {_rows(_STEP)}"
)
# Delivered at commit, once however often it is called in a transaction.
WAKE_RELAY: Final = "SELECT pg_notify('spotclaim_steps', '')"

INSERT_USAGE: Final = _insert("usage_records", _USAGE, "ON CONFLICT (key) DO NOTHING")
INSERT_SPOTS: Final = _insert("spots", _SPOT, "ON CONFLICT (key) DO NOTHING")


# Leaves exactly the latest record of each session current, in whatever order they came.
SETTLE_USAGE: Final = """
UPDATE usage_records t SET current = (t.key = latest.key) FROM (
    SELECT DISTINCT ON (spot_id, session_id) spot_id, session_id, key FROM usage_records
    WHERE (spot_id, session_id) IN (SELECT spot_id, session_id FROM usage_records WHERE key = ANY(%s::uuid[]))
    ORDER BY spot_id, session_id, recorded_at DESC, key DESC
) latest
WHERE latest.spot_id = t.spot_id AND latest.session_id = t.session_id AND t.current <> (t.key = latest.key)
"""

# Two workers that record one session at once would each see only their own record, so writers of one spot take
# turns. Few locks for many spots, always in one order.
TAKE_TURNS: Final = """
SELECT pg_advisory_xact_lock(7305776, turn) FROM (
    SELECT DISTINCT abs(hashtext(spot_id) %% 64) AS turn FROM unnest(%s::text[]) AS spot_id ORDER BY turn
) AS turns
"""

# A claim that is being checked just now may already have missed the news, so it is checked once more.
OWE_VERIFICATION: Final = """
INSERT INTO steps (kind, claim_ids, due_at)
SELECT 'verify', array_agg(id), now() FROM claims
WHERE spot_id = ANY(%s) AND status IN ('submitted', 'awaiting_evidence') AND status NOT IN ('rejected', 'resolved')
HAVING count(*) > 0
"""

INSERT_QUARANTINE: Final = """
INSERT INTO quarantine AS q (
    key, reason, sentence, body, size, door, source, message_id, received_at, last_received_at, times
)
SELECT r.key, r.reason, r.sentence, decode(r.body, 'base64'), r.size, r.door, r.source, r.message_id,
    r.received_at, r.received_at, r.times
FROM json_to_recordset(%s::json) AS r(
    key uuid, reason text, sentence text, body text, size bigint, door text, source text, message_id text,
    received_at timestamptz, times integer
)
ON CONFLICT (key) DO UPDATE
    SET times = q.times + excluded.times, last_received_at = excluded.last_received_at
"""
