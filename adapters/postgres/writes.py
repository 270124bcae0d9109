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

from adapters.postgres import columns


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


def _insert(table: str, places: dict[str, str], tail: str = "") -> Write:
    names = ", ".join(f'"{name}"' for name in places)
    values = ", ".join(read.format(place) for place, read in enumerate(places.values()))
    return Write(f"INSERT INTO {table} ({names}) SELECT {values} {_ROWS} {tail}", tuple(places))


def _update(table: str, places: dict[str, str]) -> Write:
    """Finds its rows by their id, which comes first."""
    changes = ", ".join(f"{name} = {read.format(place)}" for place, (name, read) in enumerate(places.items(), 1))
    return Write(f"UPDATE {table} t SET {changes} {_ROWS} WHERE t.id = {columns.UUID.format(0)}", ("id", *places))


INSERT_FAULTS: Final = _insert("faults", columns.FAULT)
INSERT_CLAIMS: Final = _insert("claims", columns.CLAIM_FIXED | columns.CLAIM_MOVING)
UPDATE_CLAIMS: Final = _update("claims", columns.CLAIM_MOVING)
UPDATE_COUNTED: Final = _update("claims", columns.CLAIM_COUNTED)
_INSERT_EVENTS = _insert("audit_events", columns.EVENT, "RETURNING claim_id")
# What waits for its position in the log is said in the same transaction, so a late commit cannot be passed over.
INSERT_EVENTS: Final = Write(
    f"WITH event AS ({_INSERT_EVENTS.sql}) "
    "INSERT INTO audit_pending (claim_ids) SELECT array_agg(claim_id) FROM event",
    _INSERT_EVENTS.columns,
)
INSERT_LOG: Final = _insert("audit_log", columns.LOG)
INSERT_DELIVERIES: Final = _insert(
    "deliveries",
    columns.DELIVERY_FIXED | columns.DELIVERY_MOVING,
    "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in columns.DELIVERY_MOVING),
)
UPDATE_ATTEMPTED: Final = _update("deliveries", columns.DELIVERY_ATTEMPTED)
INSERT_GROUPS: Final = _insert(
    "news_groups",
    columns.GROUP_FIXED | columns.GROUP_MOVING,
    f"ORDER BY {columns.UUID.format(0)} ON CONFLICT (id) DO NOTHING",
)
UPDATE_GROUPS: Final = _update("news_groups", columns.GROUP_MOVING)
INSERT_GATHERED: Final = _insert("gathered_news", columns.GATHERED)
TAKE_GATHERED: Final = """
WITH taken AS (DELETE FROM gathered_news WHERE delivery_id = ANY(%s::uuid[]) RETURNING id, delivery_id, news)
SELECT delivery_id::text, news FROM taken ORDER BY id
"""
INSERT_EVIDENCE: Final = _insert(
    "claim_evidence",
    columns.EVIDENCE_FIXED | columns.EVIDENCE_MOVING,
    "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in columns.EVIDENCE_MOVING),
)
INSERT_INCIDENTS: Final = _insert(
    "incidents",
    columns.INCIDENT_FIXED | columns.INCIDENT_MOVING,
    "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in columns.INCIDENT_MOVING),
)
INSERT_LINKS: Final = _insert(
    "incident_claims", columns.LINK, "ON CONFLICT (claim_id) DO UPDATE SET incident_id = excluded.incident_id"
)
INSERT_STEPS: Final = _insert("steps", columns.STEP)
FINISH_STEPS: Final = "DELETE FROM steps WHERE id = ANY(%s)"
# Delivered at commit, once however often it is called in a transaction.
WAKE_RELAY: Final = "SELECT pg_notify('spotclaim_steps', '')"

INSERT_USAGE: Final = _insert("usage_records", columns.USAGE, "ON CONFLICT (key) DO NOTHING")
INSERT_SPOTS: Final = _insert("spots", columns.SPOT, "ON CONFLICT (key) DO NOTHING")


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
