"""Declares the tables of baselines, and the statements that they are learnt with and kept by.

Faults count once for each spot and window, where they are registered, and on the clock on the wall there. A fault
without a zone is in the one that its spot is registered in.
"""

from typing import Final

from sqlalchemy import Column, Double, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.field.spots import SPOT_MODEL, SPOT_TIME_ZONE, SPOT_ZONE
from adapters.postgres.metadata import MOMENT, metadata

# One row for each time that it was learnt: from when on, and which of the hours since had no data at all.
baselines: Final = Table(
    "baselines",
    metadata,
    Column("learnt_at", MOMENT, primary_key=True),
    Column("since", MOMENT, nullable=False),
    Column("window_minutes", Integer, nullable=False),
    Column("chance", Double, nullable=False),
    Column("groups", Integer, nullable=False),
    Column("unknown_hours", ARRAY(MOMENT), nullable=False),
)

baseline_places: Final = Table(
    "baseline_places",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("capacity", Integer, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("days", Double, nullable=False),
    # Hours in which others were heard and the place was not, though it is at other times.
    Column("unknown_hours", ARRAY(MOMENT), nullable=False, server_default=text("'{}'")),
)

# Thresholds by hour of the week, 168 of them; only of groups where one is above the fewest spots of an incident.
baseline_thresholds: Final = Table(
    "baseline_thresholds",
    metadata,
    Column("code", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("week", ARRAY(SmallInteger), nullable=False),
)

LEARNT_SINCE: Final = "SELECT EXISTS (SELECT FROM baselines WHERE learnt_at >= %s)"
LAST: Final = """
SELECT learnt_at, since, chance, groups, unknown_hours FROM baselines ORDER BY learnt_at DESC LIMIT 1
"""

SILENT: Final = """
SELECT kind, place, unknown_hours FROM baseline_places WHERE unknown_hours <> '{}'
ORDER BY cardinality(unknown_hours) DESC, kind, place
"""

_SPOTS = f"""
SELECT spot_id, {SPOT_ZONE} AS zone, {SPOT_MODEL} AS model, {SPOT_TIME_ZONE} AS time_zone
FROM spots GROUP BY spot_id
"""
# The clock that most spots live on, of those that PostgreSQL has.
_CLOCK = "mode() WITHIN GROUP (ORDER BY c.name)"
_CLOCKS = "LEFT JOIN pg_timezone_names c ON c.name = time_zone"
_HOUR = "date_trunc('hour', {}, 'UTC')"
_RAISED = "NOT cleared AND occurred_at >= %(since)s AND occurred_at < %(until)s"
# When a usage record says that a spot was at work.
_AT_WORK = "coalesce(ended_at, started_at, recorded_at)"
_USED = f"{_AT_WORK} >= %(since)s AND {_AT_WORK} < %(until)s"

HOURS_WITH_DATA: Final = f"""
SELECT {_HOUR.format("occurred_at")} FROM faults WHERE occurred_at >= %(since)s AND occurred_at < %(until)s
UNION SELECT {_HOUR.format(_AT_WORK)} FROM usage_records WHERE {_USED}
"""

# Where spots are registered, and where their faults say that they are; since when anything was heard from there.
PLACES_OBSERVED: Final = f"""
WITH heard AS (
    SELECT spot_id, min(moment) AS first FROM (
        SELECT spot_id, occurred_at AS moment FROM faults WHERE {_RAISED}
        UNION ALL SELECT spot_id, {_AT_WORK} FROM usage_records WHERE {_USED}
    ) m GROUP BY spot_id
), known AS ({_SPOTS}
), stands AS (
    SELECT 'zone' AS kind, zone AS place, spot_id, time_zone FROM known
    UNION SELECT 'model', model, spot_id, time_zone FROM known
    UNION SELECT 'zone', f.zone, spot_id, k.time_zone FROM faults f LEFT JOIN known k USING (spot_id)
    WHERE {_RAISED}
)
SELECT kind, place, count(*), {_CLOCK} AS time_zone, min(first)
FROM stands LEFT JOIN heard USING (spot_id) {_CLOCKS}
WHERE place IS NOT NULL GROUP BY kind, place ORDER BY kind, place
"""

# In which hours each place was heard, and how many usage records it was.
HEARD: Final = f"""
WITH known AS ({_SPOTS}
), heard AS (
    SELECT spot_id, NULL AS zone, {_HOUR.format(_AT_WORK)} AS hour, count(*) AS sessions FROM usage_records
    WHERE {_USED} GROUP BY spot_id, hour
    UNION ALL
    SELECT DISTINCT spot_id, zone, {_HOUR.format("occurred_at")}, 0 FROM faults
    WHERE occurred_at >= %(since)s AND occurred_at < %(until)s
)
SELECT kind, place, hour, sum(sessions)::integer
FROM heard h LEFT JOIN known k USING (spot_id)
CROSS JOIN LATERAL (VALUES ('zone', coalesce(h.zone, k.zone)), ('model', k.model)) AS stands (kind, place)
WHERE place IS NOT NULL GROUP BY kind, place, hour
"""

PLACES_KNOWN: Final = f"""
WITH known AS ({_SPOTS}
), registered AS (
    SELECT kind, place, count(*)::integer AS capacity
    FROM known CROSS JOIN LATERAL (VALUES ('zone', zone), ('model', model)) AS stands (kind, place)
    WHERE place IS NOT NULL GROUP BY kind, place
)
SELECT kind, place, greatest(r.capacity, b.capacity) AS capacity, b.time_zone, coalesce(b.days, 0) AS days
FROM registered r FULL JOIN baseline_places b USING (kind, place)
"""

# A window ends with one of its steps: an hour, or all of it where it is shorter. Windows of a group that had an
# incident are left out, and what belonged to any incident does not count elsewhere either.
TALLIES: Final = f"""
WITH place AS MATERIALIZED (
    SELECT p->>0 AS kind, p->>1 AS place, p->>2 AS time_zone FROM jsonb_array_elements(%(places)s::jsonb) AS p
), known AS ({_SPOTS}
), shown AS (
    SELECT f.code, f.spot_id, f.occurred_at, coalesce(f.zone, k.zone) AS zone, k.model
    FROM faults f LEFT JOIN known k USING (spot_id)
    WHERE {_RAISED} AND NOT EXISTS (SELECT FROM incident_claims l WHERE l.claim_id = f.claim_id)
), counted AS (
    SELECT s.code, p.kind, p.place, w.moment + n * %(step)s AS moment, count(DISTINCT s.spot_id) AS spots
    FROM shown s CROSS JOIN LATERAL (VALUES ('zone', s.zone), ('model', s.model)) AS stands (kind, place)
    JOIN place p USING (kind, place)
    CROSS JOIN LATERAL date_bin(%(step)s, s.occurred_at AT TIME ZONE p.time_zone, '2001-01-01') AS w (moment)
    CROSS JOIN generate_series(0, %(steps)s - 1) AS n
    GROUP BY 1, 2, 3, 4
), left_out AS (
    SELECT DISTINCT i.code, p.kind, p.place, w.moment
    FROM incidents i JOIN place p USING (kind, place)
    CROSS JOIN LATERAL generate_series(
        date_bin(%(step)s, greatest(i.first_seen_at, %(since)s) AT TIME ZONE p.time_zone, '2001-01-01'),
        (least(i.last_seen_at, %(until)s) + %(step)s * (%(steps)s - 1)) AT TIME ZONE p.time_zone,
        %(step)s
    ) AS w (moment)
    WHERE i.last_seen_at >= %(since)s
)
SELECT code, kind, place, ((extract(isodow FROM moment) - 1) * 24 + extract(hour FROM moment))::integer AS hour,
    coalesce(sum(spots) FILTER (WHERE NOT incident), 0)::integer,
    coalesce(sum(spots ^ 2) FILTER (WHERE NOT incident), 0)::integer,
    count(*) FILTER (WHERE incident)::integer
FROM (
    SELECT code, kind, place, moment, coalesce(c.spots, 0) AS spots, l.moment IS NOT NULL AS incident
    FROM counted c FULL JOIN left_out l USING (code, kind, place, moment)
) windows
GROUP BY code, kind, place, hour
"""

_ROWS = "jsonb_array_elements(%s::jsonb) AS r"
INSERT_PLACES: Final = f"""
INSERT INTO baseline_places (kind, place, capacity, time_zone, days, unknown_hours)
SELECT r->>0, r->>1, (r->>2)::integer, r->>3, (r->>4)::double precision,
    ARRAY(SELECT jsonb_array_elements_text(r->5)::timestamptz ORDER BY 1)
FROM {_ROWS}
"""
INSERT_THRESHOLDS: Final = f"""
INSERT INTO baseline_thresholds (code, kind, place, week)
SELECT r->>0, r->>1, r->>2, ARRAY(SELECT jsonb_array_elements_text(r->3)::smallint) FROM {_ROWS}
"""
INSERT_BASELINE: Final = """
INSERT INTO baselines (learnt_at, since, window_minutes, chance, groups, unknown_hours)
VALUES (%s, %s, %s, %s, %s, %s::timestamptz[])
"""
