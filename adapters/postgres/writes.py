"""The statements that write a batch.

Every table gets one statement whose rows are one JSON parameter: on the hot path that costs a tenth of row-wise
parameters. A row is an array and its values are known by their places, which is less to write, to send and to read
than an object that names each of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import orjson

# How a value is read from its place in the row `r`.
_TEXT = "r->>{}"
_UUID = "(r->>{})::uuid"
_INTEGER = "(r->>{})::integer"
_NUMBER = "(r->>{})::double precision"
_BOOLEAN = "(r->>{})::boolean"
_MOMENT = "(r->>{})::timestamptz"
_MOMENT_OR_NOW = "coalesce((r->>{})::timestamptz, now())"
_DATE = "(r->>{})::date"
_BYTES = "decode(r->>{}, 'hex')"
_JSON = "r->{}"
_TEXTS = "ARRAY(SELECT jsonb_array_elements_text(r->{}))"
_MOMENTS = "ARRAY(SELECT jsonb_array_elements_text(r->{}))::timestamptz[]"
_UUIDS = "ARRAY(SELECT jsonb_array_elements_text(r->{}))::uuid[]"

_FAULT = {
    "key": _UUID,
    "source": _TEXT,
    "message_id": _TEXT,
    "claim_id": _UUID,
    "spot_id": _TEXT,
    "connector_id": _INTEGER,
    "code": _TEXT,
    "taxonomy": _TEXT,
    "raw_code": _TEXT,
    "info": _TEXT,
    "cleared": _BOOLEAN,
    "occurred_at": _MOMENT,
    "received_at": _MOMENT,
    "time_quality": _TEXT,
    "stated_time": _TEXT,
    "zone": _TEXT,
    "affected_user": _TEXT,
    "reservation_id": _TEXT,
    "session_id": _TEXT,
    "description": _TEXT,
    "severity_hint": _TEXT,
    "evidence": _JSON,
    "filed_by": _TEXT,
}

_CLAIM_FIXED = {
    "id": _UUID,
    "spot_id": _TEXT,
    "code": _TEXT,
    "claim_type": _TEXT,
    "filed_by": _TEXT,
    "opened_at": _MOMENT,
    "severity": _TEXT,
}

# What a claim's reports say together.
_CLAIM_COUNTED = {
    "also_filed_by": _TEXTS,
    "connector_id": _INTEGER,
    "zone": _TEXT,
    "affected_user": _TEXT,
    "reservation_id": _TEXT,
    "session_id": _TEXT,
    "first_seen_at": _MOMENT,
    "last_seen_at": _MOMENT,
    "cleared_at": _MOMENT,
    "fault_count": _INTEGER,
    "version": _INTEGER,
    "head": _BYTES,
}

_CLAIM_MOVING = _CLAIM_COUNTED | {
    "status": _TEXT,
    "closed_at": _MOMENT,
    "stage": _INTEGER,
    "stages": _TEXTS,
    "four_eyes": _BOOLEAN,
    "stage_hours": _NUMBER,
    "approved_by": _TEXTS,
    "escalated_to": _TEXT,
    "reopened": _INTEGER,
    "verdict_seq": _INTEGER,
    "policy_version": _TEXT,
    "time_zone": _TEXT,
    "acknowledge_due_at": _MOMENT,
    "resolve_due_at": _MOMENT,
    "acknowledged_at": _MOMENT,
    "pauses": _MOMENTS,
    "sla_alerts": _TEXTS,
    "evidence_digest": _BYTES,
}

_EVENT = {
    "claim_id": _UUID,
    "seq": _INTEGER,
    "at": _MOMENT,
    "actor": _TEXT,
    "kind": _TEXT,
    "body": _TEXT,
    "hash": _BYTES,
}

_LOG = {"position": "(r->>{})::bigint", "claim_id": _UUID, "seq": _INTEGER, "leaf": _BYTES}

_STEP = {"kind": _TEXT, "claim_ids": _UUIDS, "subject": _TEXT, "due_at": _MOMENT_OR_NOW, "attempts": _INTEGER}

_DELIVERY_FIXED = {
    "id": _UUID,
    "destination": _TEXT,
    "event": _TEXT,
    "code": _TEXT,
    "created_at": _MOMENT,
}
_DELIVERY_MOVING = {
    "title": _TEXT,
    "body": _TEXT,
    "claim_ids": _UUIDS,
    "reason": _TEXT,
    "due_at": _MOMENT,
    "summary": _JSON,
    "status": _TEXT,
    "attempts": _INTEGER,
    "answer": _TEXT,
    "finished_at": _MOMENT,
}

_GROUP_FIXED = {"id": _UUID, "destination": _TEXT, "event": _TEXT, "code": _TEXT, "held": _BOOLEAN}
_GROUP_MOVING = {"messages": _INTEGER, "hot_until": _MOMENT, "gathering": _UUID}

_EVIDENCE_FIXED = {
    "id": _UUID,
    "claim_id": _UUID,
    "kind": _TEXT,
    "added_at": _MOMENT,
    "added_by": _TEXT,
    "content": _TEXT,
}
_EVIDENCE_MOVING = {"withdrawn_at": _MOMENT, "withdrawn_by": _TEXT}

_INCIDENT_FIXED = {
    "id": _UUID,
    "code": _TEXT,
    "kind": _TEXT,
    "place": _TEXT,
    "threshold": _INTEGER,
    "opened_at": _MOMENT,
    "first_seen_at": _MOMENT,
    "split_from": _UUID,
}
_INCIDENT_MOVING = {
    "last_seen_at": _MOMENT,
    "touched_at": _MOMENT,
    "status": _TEXT,
    "claim_count": _INTEGER,
    "peak": _INTEGER,
    "told_peak": _INTEGER,
    "root_cause": _TEXT,
    "closed_at": _MOMENT,
    "closed_why": _TEXT,
    "merged_into": _UUID,
    "version": _INTEGER,
    "head": _BYTES,
}
_LINK = {"claim_id": _UUID, "incident_id": _UUID}

_USAGE = {
    "key": _UUID,
    "source": _TEXT,
    "message_id": _TEXT,
    "spot_id": _TEXT,
    "session_id": _TEXT,
    "connector_id": _INTEGER,
    "started_at": _MOMENT,
    "ended_at": _MOMENT,
    "energy_kwh": _NUMBER,
    "meter_start_kwh": _NUMBER,
    "meter_stop_kwh": _NUMBER,
    "periods_kwh": _NUMBER,
    "under_way": _BOOLEAN,
    "reservation_id": _TEXT,
    "user": _TEXT,
    "stop_reason": _TEXT,
    "samples": _JSON,
    "findings": _TEXTS,
    "recorded_at": _MOMENT,
    "received_at": _MOMENT,
}

_SPOT = {
    "key": _UUID,
    "source": _TEXT,
    "message_id": _TEXT,
    "spot_id": _TEXT,
    "zone": _TEXT,
    "site": _TEXT,
    "time_zone": _TEXT,
    "vendor": _TEXT,
    "model": _TEXT,
    "firmware": _TEXT,
    "max_power_kw": _NUMBER,
    "commissioned_on": _DATE,
    "warranty_until": _DATE,
    "latitude": _NUMBER,
    "longitude": _NUMBER,
    "registered_at": _MOMENT,
    "received_at": _MOMENT,
}


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that writes many rows, and the columns of a row in the order of their places."""

    sql: str
    columns: tuple[str, ...]

    def rows(self, items: Iterable[object]) -> str:
        """The statement's parameter. The items have an attribute for each column."""
        row_of = attrgetter(*self.columns)
        return orjson.dumps([row_of(item) for item in items]).decode()


_ROWS = "FROM jsonb_array_elements(%s::jsonb) AS r"


def _insert(table: str, columns: dict[str, str], tail: str = "") -> Write:
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(read.format(place) for place, read in enumerate(columns.values()))
    return Write(f"INSERT INTO {table} ({names}) SELECT {values} {_ROWS} {tail}", tuple(columns))


def _update(table: str, columns: dict[str, str]) -> Write:
    """Finds its rows by their id, which comes first."""
    changes = ", ".join(f"{name} = {read.format(place)}" for place, (name, read) in enumerate(columns.items(), 1))
    return Write(f"UPDATE {table} t SET {changes} {_ROWS} WHERE t.id = {_UUID.format(0)}", ("id", *columns))


INSERT_FAULTS: Final = _insert("faults", _FAULT)
INSERT_CLAIMS: Final = _insert("claims", _CLAIM_FIXED | _CLAIM_MOVING)
UPDATE_CLAIMS: Final = _update("claims", _CLAIM_MOVING)
UPDATE_COUNTED: Final = _update("claims", _CLAIM_COUNTED)
_INSERT_EVENTS = _insert("audit_events", _EVENT, "RETURNING claim_id")
# What waits for its position in the log is said in the same transaction, so a late commit cannot be passed over.
INSERT_EVENTS: Final = Write(
    f"WITH event AS ({_INSERT_EVENTS.sql}) "
    "INSERT INTO audit_pending (claim_ids) SELECT array_agg(claim_id) FROM event",
    _INSERT_EVENTS.columns,
)
INSERT_LOG: Final = _insert("audit_log", _LOG)
INSERT_DELIVERIES: Final = _insert(
    "deliveries",
    _DELIVERY_FIXED | _DELIVERY_MOVING,
    "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _DELIVERY_MOVING),
)
INSERT_GROUPS: Final = _insert(
    "news_groups", _GROUP_FIXED | _GROUP_MOVING, f"ORDER BY {_UUID.format(0)} ON CONFLICT (id) DO NOTHING"
)
UPDATE_GROUPS: Final = _update("news_groups", _GROUP_MOVING)
INSERT_EVIDENCE: Final = _insert(
    "claim_evidence",
    _EVIDENCE_FIXED | _EVIDENCE_MOVING,
    "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _EVIDENCE_MOVING),
)
INSERT_INCIDENTS: Final = _insert(
    "incidents",
    _INCIDENT_FIXED | _INCIDENT_MOVING,
    "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _INCIDENT_MOVING),
)
INSERT_LINKS: Final = _insert(
    "incident_claims", _LINK, "ON CONFLICT (claim_id) DO UPDATE SET incident_id = excluded.incident_id"
)
INSERT_STEPS: Final = _insert("steps", _STEP)
# Delivered at commit, once however often it is called in a transaction.
WAKE_RELAY: Final = "SELECT pg_notify('spotclaim_steps', '')"

INSERT_USAGE: Final = _insert("usage_records", _USAGE, "ON CONFLICT (key) DO NOTHING")
INSERT_SPOTS: Final = _insert("spots", _SPOT, "ON CONFLICT (key) DO NOTHING")


# Leaves exactly the latest record of each session current, in whatever order they came. A look into the index for
# each session: left to itself the planner may read the whole table for them.
SETTLE_USAGE: Final = """
UPDATE usage_records t SET current = told.latest
FROM jsonb_array_elements(%s::jsonb) AS w CROSS JOIN LATERAL (
    SELECT key, current, row_number() OVER (ORDER BY recorded_at DESC, key DESC) = 1 AS latest
    FROM usage_records WHERE spot_id = w->>0 AND session_id = w->>1
) AS told
WHERE t.key = told.key AND told.current <> told.latest
"""

# Two workers that record one session at once would each see only their own record, so writers of one spot take
# turns. Few locks for many spots, always in one order.
TAKE_TURNS: Final = """
SELECT pg_advisory_xact_lock(7305776, turn) FROM (
    SELECT DISTINCT abs(hashtext(spot_id) %% 64) AS turn FROM unnest(%s::text[]) AS spot_id ORDER BY turn
) AS turns
"""

# Whoever gives a destination's messages their times takes turns with others who do.
TAKE_TURNS_TELLING: Final = """
SELECT pg_advisory_xact_lock(7305778, turn) FROM (
    SELECT DISTINCT abs(hashtext(destination) %% 64) AS turn FROM unnest(%s::text[]) AS destination ORDER BY turn
) AS turns
"""

# Whoever would open an incident of a code waits for whoever does so just now, and then sees it.
TAKE_TURNS_OPENING: Final = """
SELECT pg_advisory_xact_lock(7305777, turn) FROM (
    SELECT DISTINCT abs(hashtext(code) %% 1024) AS turn FROM unnest(%s::text[]) AS code ORDER BY turn
) AS turns
"""

# A claim that is being checked just now may already have missed the news, so it is checked once more; one that was
# judged is judged again, as if all had been known at once.
OWE_VERIFICATION: Final = """
INSERT INTO steps (kind, claim_ids, due_at)
SELECT 'verify', array_agg(id), now() FROM claims
WHERE spot_id = ANY(%s) AND status = ANY(%s) AND closed_at IS NULL
HAVING count(*) > 0
"""

INSERT_QUARANTINE: Final = """
INSERT INTO quarantine AS q (
    key, reason, sentence, body, size, door, source, message_id, attributes, received_at, last_received_at, times
)
SELECT r.key, r.reason, r.sentence, decode(r.body, 'base64'), r.size, r.door, r.source, r.message_id,
    r.attributes, r.received_at, r.received_at, r.times
FROM json_to_recordset(%s::json) AS r(
    key uuid, reason text, sentence text, body text, size bigint, door text, source text, message_id text,
    attributes jsonb, received_at timestamptz, times integer
)
ON CONFLICT (key) DO UPDATE
    SET times = q.times + excluded.times, last_received_at = excluded.last_received_at
"""

SETTLE_QUARANTINED: Final = """
UPDATE quarantine SET state = %s, reason = %s, sentence = %s, edited = %s, message_key = %s, settled_at = %s,
    settled_by = %s, settled_why = %s
WHERE key = %s
"""
