"""The statements that read. Their columns come in the order of the dataclass that takes them in."""

from dataclasses import fields
from typing import Final

from domain.changes import Step
from domain.claims.claim import Claim
from domain.evidence.item import Evidence
from domain.field.fault import Fault
from domain.field.quarantine import Entry
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from domain.incidents.incident import Incident
from domain.notifications.delivery import Delivery
from domain.notifications.group import NewsGroup
from domain.notifications.silence import Silence

# How a column is read whose type in the database is not the one in the code.
_READ_AS = {
    "id": "{}::text",
    "key": "{}::text",
    "claim_id": "{}::text",
    "claim_ids": "{}::text[]",
    "gathering": "{}::text",
    "head": "encode({}, 'hex')",
    "evidence_digest": "encode({}, 'hex')",
    "merged_into": "{}::text",
    "split_from": "{}::text",
    "steps.id": "{}",
}


def _columns(table: str, kind: type, *, but: tuple[str, ...] = ()) -> str:
    names = [field.name for field in fields(kind) if field.name not in but]
    return ", ".join(
        _READ_AS.get(f"{table}.{name}", _READ_AS.get(name, "{}")).format(f'{table}."{name}"') for name in names
    )


KNOWN_MESSAGES: Final = "SELECT replace(key::text, '-', '') FROM faults WHERE key = ANY(%s::uuid[])"
KNOWN_BATCH: Final = " UNION ALL ".join(
    f"SELECT replace(key::text, '-', '') FROM {table} WHERE key = ANY(%s::uuid[])"
    for table in ("faults", "usage_records", "spots", "quarantine")
)

# One look into the index for each pair, and the locks in the order of the pairs.
OPEN_CLAIMS: Final = f"""
SELECT c.* FROM jsonb_array_elements(%s::jsonb) AS w CROSS JOIN LATERAL (
    SELECT {_columns("claims", Claim)} FROM claims
    WHERE spot_id = w->>0 AND code = w->>1 AND closed_at IS NULL LIMIT 1 FOR UPDATE
) c
"""

# Few clears belong to no claim, and these are in an index of their own.
_STRAY = "f.cleared AND f.claim_id IS NULL"
STRAY_CLEARS: Final = f"""
SELECT s.* FROM jsonb_array_elements(%s::jsonb) AS w CROSS JOIN LATERAL (
    SELECT {_columns("f", Fault)} FROM faults f
    WHERE f.spot_id = w->>0 AND f.code = w->>1 AND f.occurred_at >= (w->>2)::timestamptz AND {_STRAY}
    ORDER BY f.occurred_at LIMIT 100
) s
"""

CLAIMS: Final = (
    f"SELECT {_columns('claims', Claim)} FROM claims WHERE id = ANY(%s::uuid[]) ORDER BY spot_id, code FOR UPDATE"
)

LAST_CHANGES: Final = """
SELECT claim_id::text, max(seq) FROM audit_events
WHERE claim_id = ANY(%s::uuid[]) AND kind <> 'claim.announced' GROUP BY claim_id
"""

VERDICTS: Final = """
SELECT c.id::text, e.body FROM claims c JOIN audit_events e ON e.claim_id = c.id AND e.seq = c.verdict_seq
WHERE c.id = ANY(%s::uuid[])
"""

# Nobody lends what they have no more.
DELEGATIONS_TO: Final = """
SELECT d.role, d.of, d.until FROM delegations d
JOIN api_tokens t ON t.name = d.of AND t.role = d.role AND t.disabled_at IS NULL
WHERE d."to" = %s AND d.until > %s AND d.revoked_at IS NULL ORDER BY d.until, d.id
"""

DELIVERIES: Final = (
    f"SELECT {_columns('deliveries', Delivery)} FROM deliveries WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE"
)

_GROUP = f"SELECT {_columns('news_groups', NewsGroup)} FROM news_groups"
GROUPS: Final = f"{_GROUP} WHERE id = ANY(%s::uuid[]) ORDER BY news_groups.id FOR UPDATE"
GATHERING: Final = f"{_GROUP} WHERE gathering = ANY(%s::uuid[]) ORDER BY news_groups.id FOR UPDATE"

# When the latest messages of each destination are due or were, each attempt of each. Whose present attempt is not
# among the latest has no earlier one that is.
RECENT_DELIVERIES: Final = """
SELECT w.destination, a.moment FROM unnest(%s::text[]) AS w(destination) CROSS JOIN LATERAL (
    SELECT moment FROM (
        SELECT due_at, tried_at FROM deliveries
        WHERE destination = w.destination AND due_at > %s AND status <> 'gathering'
        ORDER BY due_at DESC LIMIT %s
    ) AS d CROSS JOIN LATERAL unnest(d.due_at || d.tried_at) AS moment
    ORDER BY moment DESC LIMIT %s
) AS a ORDER BY a.moment DESC
"""

SILENCES: Final = (
    f"SELECT {_columns('silences', Silence)} FROM silences WHERE starts_at <= %s AND ends_at > %s ORDER BY ends_at"
)

# Who was told: claims have it on their own record; of incidents there are few messages, in an index of their own.
TOLD: Final = """
SELECT claim_id::text, array_agg(DISTINCT body::json->>'destination') FROM audit_events
WHERE claim_id = ANY(%s::uuid[]) AND kind = 'claim.announced' GROUP BY claim_id
UNION ALL
SELECT w.id::text, array_agg(DISTINCT d.destination) FROM unnest(%s::uuid[]) AS w(id)
JOIN deliveries d ON d.claim_ids @> ARRAY[w.id] AND d.event LIKE 'incident.%%' AND d.status = 'sent' GROUP BY w.id
"""

EVIDENCE: Final = (
    f"SELECT {_columns('claim_evidence', Evidence)} FROM claim_evidence WHERE claim_id = %s ORDER BY id"
)

# Only faults that brought evidence are in the index by claim, and the condition must say so to use it.
_WITH_EVIDENCE = "f.evidence <> '[]'::jsonb"
REPORTED_EVIDENCE: Final = f"""
SELECT replace(f.key::text, '-', ''), f.received_at, coalesce(f.filed_by, f.source), piece.data
FROM faults f CROSS JOIN LATERAL jsonb_array_elements(f.evidence) WITH ORDINALITY AS piece(data, place)
WHERE f.claim_id = %s AND {_WITH_EVIDENCE} ORDER BY f.received_at, f.key, piece.place LIMIT 1000
"""
EVIDENCE_KINDS: Final = f"""
SELECT claim_id::text, array_agg(kind) FROM (
    SELECT claim_id, kind FROM claim_evidence WHERE claim_id = ANY(%s::uuid[]) AND withdrawn_at IS NULL
    UNION
    SELECT f.claim_id, piece->>'kind' FROM faults f CROSS JOIN LATERAL jsonb_array_elements(f.evidence) AS piece
    WHERE f.claim_id = ANY(%s::uuid[]) AND {_WITH_EVIDENCE}
) k GROUP BY claim_id
"""

STEPS: Final = f"""
SELECT {_columns("steps", Step)} FROM steps WHERE id = ANY(%s) AND kind = %s ORDER BY id FOR UPDATE SKIP LOCKED
"""

QUARANTINED: Final = f"SELECT {_columns('quarantine', Entry)} FROM quarantine WHERE key = %s FOR UPDATE"

# Every registration is kept, and a spot is what they say together: of each detail the latest word, where one that
# says nothing of a detail takes nothing away. So the order in which they came does not matter.
_LATEST_WORD = "(array_agg({0} ORDER BY registered_at DESC, key DESC) FILTER (WHERE {0} IS NOT NULL))[1]"
_SPOT_AS = {
    "key": _LATEST_WORD.format("key::text"),
    "spot_id": "spot_id",
    "registered_at": "max(registered_at)",
    "received_at": "max(received_at)",
}
_SPOT_COLUMNS = ", ".join(_SPOT_AS.get(field.name, _LATEST_WORD.format(field.name)) for field in fields(Spot))
# Where spots are known to stand, and what their model is called in detection; to be grouped by spot.
SPOT_ZONE: Final = _LATEST_WORD.format("zone")
SPOT_TIME_ZONE: Final = _LATEST_WORD.format("time_zone")
SPOT_MODEL: Final = "nullif(concat_ws(' ', {}, {}, {}), '')".format(
    *(_LATEST_WORD.format(name) for name in ("vendor", "model", "firmware"))
)
# Claims as sightings of their errors, each in the zone and with the model that its spot is known by.
_SIGHTINGS = f"""
SELECT c.code, c.spot_id, c.last_seen_at, coalesce(c.zone, s.zone), s.model, c.id::text
FROM claims c CROSS JOIN LATERAL (
    SELECT {SPOT_ZONE} AS zone, {SPOT_MODEL} AS model FROM spots WHERE spots.spot_id = c.spot_id
) s
"""
SIGHTINGS: Final = f"{_SIGHTINGS} WHERE c.id = ANY(%s::uuid[])"
SIGHTINGS_SINCE: Final = f"{_SIGHTINGS} WHERE c.last_seen_at >= %s"

_INCIDENT = _columns("incidents", Incident)
OPEN_INCIDENTS: Final = (
    f"SELECT {_INCIDENT} FROM incidents WHERE code = ANY(%s) AND closed_at IS NULL ORDER BY id FOR UPDATE"
)
INCIDENTS: Final = f"SELECT {_INCIDENT} FROM incidents WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE"
LAST_CLOSED: Final = f"""
SELECT {_INCIDENT} FROM incidents WHERE code = %s AND kind = %s AND place = %s AND closed_at IS NOT NULL
ORDER BY closed_at DESC LIMIT 1
"""
INCIDENTS_OF: Final = """
SELECT l.claim_id::text, l.incident_id::text FROM incident_claims l JOIN incidents i ON i.id = l.incident_id
WHERE l.claim_id = ANY(%s::uuid[]) AND i.closed_at IS NULL
"""
CLAIMS_OF_INCIDENT: Final = "SELECT claim_id::text FROM incident_claims WHERE incident_id = %s ORDER BY claim_id"
OPEN_CLAIMS_OF_SPOTS: Final = (
    "SELECT id::text FROM claims WHERE spot_id = ANY(%s) AND code = %s AND closed_at IS NULL ORDER BY id"
)

SPOTS: Final = f"SELECT {_SPOT_COLUMNS} FROM spots WHERE spot_id = ANY(%s) GROUP BY spot_id"

# For each claim: the records nearest before and after the fault, the nearest whose findings bear on its code, and
# that of the session it names. One may come twice: to tell them apart, PostgreSQL would compare them as a whole.
_PLACE = "coalesce(r.started_at, r.ended_at, r.recorded_at)"
_USAGE = _columns("r", UsageRecord, but=("samples",))
_OF_SPOT = f"SELECT {_USAGE} FROM usage_records r WHERE r.spot_id = w.spot_id AND r.current"
_TELLING = "w.wanted <> '{}'::text[] AND r.findings <> '{}'::text[] AND r.findings && w.wanted"
NEAREST_USAGE: Final = f"""
SELECT w.place, u.*
FROM json_to_recordset(%s::json)
    AS w(place integer, spot_id text, moment timestamptz, wanted text[], session_id text)
CROSS JOIN LATERAL (
    ({_OF_SPOT} AND {_PLACE} <= w.moment ORDER BY {_PLACE} DESC LIMIT 5)
    UNION ALL
    ({_OF_SPOT} AND {_PLACE} > w.moment ORDER BY {_PLACE} LIMIT 5)
    UNION ALL
    ({_OF_SPOT} AND {_TELLING} AND {_PLACE} <= w.moment ORDER BY {_PLACE} DESC LIMIT 3)
    UNION ALL
    ({_OF_SPOT} AND {_TELLING} AND {_PLACE} > w.moment ORDER BY {_PLACE} LIMIT 3)
    UNION ALL
    ({_OF_SPOT} AND r.session_id = w.session_id)
) u
"""

# When the errors of claims were raised and cleared.
FAULT_TIMES: Final = f"""
WITH w AS (SELECT id, place FROM unnest(%s::uuid[]) WITH ORDINALITY AS w(id, place))
SELECT w.place, f.occurred_at, f.cleared
FROM w CROSS JOIN LATERAL (
    SELECT body FROM audit_events
    WHERE claim_id = w.id AND kind IN ('claim.opened', 'claim.faults_counted') ORDER BY seq DESC LIMIT 1000
) AS e
CROSS JOIN LATERAL json_array_elements_text(e.body::json->'faults') AS named(key)
CROSS JOIN LATERAL (SELECT occurred_at, cleared FROM faults WHERE key = named.key::uuid LIMIT 1) AS f
UNION ALL
SELECT w.place, f.occurred_at, f.cleared FROM w JOIN claims c ON c.id = w.id CROSS JOIN LATERAL (
    SELECT occurred_at, cleared FROM faults f
    WHERE f.spot_id = c.spot_id AND f.code = c.code AND f.occurred_at >= c.first_seen_at AND {_STRAY} LIMIT 1000
) AS f
"""

# What each claim's faults said: how the field named the error. The first audit events name the faults; what a
# storm repeats after them says nothing new. One look into an index for
# each claim and each fault, which PostgreSQL would not choose by itself: it cannot know how few a claim has.
ERRORS: Final = """
SELECT w.place, f.taxonomy, f.raw_code
FROM unnest(%s::uuid[]) WITH ORDINALITY AS w(id, place)
CROSS JOIN LATERAL (
    SELECT body FROM audit_events
    WHERE claim_id = w.id AND kind IN ('claim.opened', 'claim.faults_counted') ORDER BY seq LIMIT 20
) AS e
CROSS JOIN LATERAL json_array_elements_text(e.body::json->'faults') AS named(key)
CROSS JOIN LATERAL (
    SELECT taxonomy, raw_code FROM faults WHERE key = named.key::uuid LIMIT 1
) AS f
"""
