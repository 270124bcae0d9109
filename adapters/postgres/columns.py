"""The columns of the tables that are written, and how each is read from its place in a row of JSON.

What is `FIXED` is written once, and what is `MOVING` with every change.
"""

# How a value is read from its place in the row `r`.
_TEXT = "r->>{}"
UUID = "(r->>{})::uuid"
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

FAULT = {
    "key": UUID,
    "source": _TEXT,
    "message_id": _TEXT,
    "claim_id": UUID,
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

CLAIM_FIXED = {
    "id": UUID,
    "spot_id": _TEXT,
    "code": _TEXT,
    "claim_type": _TEXT,
    "filed_by": _TEXT,
    "opened_at": _MOMENT,
    "severity": _TEXT,
}

# What a claim's reports say together.
CLAIM_COUNTED = {
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

CLAIM_MOVING = CLAIM_COUNTED | {
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

EVENT = {
    "claim_id": UUID,
    "seq": _INTEGER,
    "at": _MOMENT,
    "actor": _TEXT,
    "kind": _TEXT,
    "body": _TEXT,
    "hash": _BYTES,
}

LOG = {"position": "(r->>{})::bigint", "claim_id": UUID, "seq": _INTEGER, "leaf": _BYTES}

STEP = {"kind": _TEXT, "claim_ids": _UUIDS, "subject": _TEXT, "due_at": _MOMENT_OR_NOW, "attempts": _INTEGER}

DELIVERY_FIXED = {
    "id": UUID,
    "destination": _TEXT,
    "event": _TEXT,
    "code": _TEXT,
    "created_at": _MOMENT,
}
# What an attempt changes.
DELIVERY_ATTEMPTED = {
    "status": _TEXT,
    "attempts": _INTEGER,
    "answer": _TEXT,
    "finished_at": _MOMENT,
    "due_at": _MOMENT,
}
DELIVERY_MOVING = DELIVERY_ATTEMPTED | {
    "title": _TEXT,
    "body": _TEXT,
    "claim_ids": _UUIDS,
    "reason": _TEXT,
    "summary": _JSON,
    "tried_at": _MOMENTS,
}

GROUP_FIXED = {"id": UUID, "destination": _TEXT, "event": _TEXT, "code": _TEXT, "held": _BOOLEAN}
GROUP_MOVING = {"messages": _INTEGER, "hot_until": _MOMENT, "gathering": UUID}

GATHERED = {"delivery_id": UUID, "news": _JSON}

EVIDENCE_FIXED = {
    "id": UUID,
    "claim_id": UUID,
    "kind": _TEXT,
    "added_at": _MOMENT,
    "added_by": _TEXT,
    "content": _TEXT,
}
EVIDENCE_MOVING = {"withdrawn_at": _MOMENT, "withdrawn_by": _TEXT}

INCIDENT_FIXED = {
    "id": UUID,
    "code": _TEXT,
    "kind": _TEXT,
    "place": _TEXT,
    "threshold": _INTEGER,
    "opened_at": _MOMENT,
    "first_seen_at": _MOMENT,
    "split_from": UUID,
}
INCIDENT_MOVING = {
    "last_seen_at": _MOMENT,
    "touched_at": _MOMENT,
    "status": _TEXT,
    "claim_count": _INTEGER,
    "peak": _INTEGER,
    "told_peak": _INTEGER,
    "acknowledged_at": _MOMENT,
    "root_cause": _TEXT,
    "closed_at": _MOMENT,
    "closed_why": _TEXT,
    "merged_into": UUID,
    "version": _INTEGER,
    "head": _BYTES,
}
LINK = {"claim_id": UUID, "incident_id": UUID}

USAGE = {
    "key": UUID,
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

SPOT = {
    "key": UUID,
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
