"""Stores faults, and reads when errors were raised and cleared."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.postgres.field.message_identity import message_identity
from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.queries import DatabaseQueries, Row
from adapters.postgres.row_digest import row_digest
from adapters.postgres.statements import Executor, as_array, insert, selected
from domain.claims.claim import Claim, SpotAndCode
from domain.claims.deduplication import STRAY_CLEARS_OF_A_PAIR
from domain.claims.hold_down import EVENTS_WITH_REPORTS, STRAY_CLEARS_OF_A_CLAIM, Report
from domain.field.fault import Fault

faults: Final = Table(
    "faults",
    metadata,
    *message_identity(),
    Column("claim_id", ID),
    Column("spot_id", Text, nullable=False),
    Column("connector_id", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("taxonomy", Text, nullable=False),
    Column("raw_code", Text, nullable=False),
    Column("info", Text),
    Column("cleared", Boolean, nullable=False),
    Column("occurred_at", MOMENT, nullable=False),
    Column("received_at", MOMENT, nullable=False),
    Column("time_quality", Text, nullable=False),
    Column("stated_time", Text),
    Column("zone", Text),
    Column("affected_user", Text),
    Column("reservation_id", Text),
    Column("session_id", Text),
    Column("description", Text),
    Column("severity_hint", Text),
    Column("evidence", JSONB, nullable=False),
    Column("filed_by", Text),
    Column("edited_by", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("original_digest", Text),
    Column("unknown", JSONB),
    # A clear that came before what it clears.
    Index("faults_stray", "spot_id", "code", "occurred_at", postgresql_where=text("cleared AND claim_id IS NULL")),
    # Claims find the evidence that came with their faults; a fault without any costs no entry.
    Index("faults_evidence", "claim_id", postgresql_where=text("evidence <> '[]'::jsonb")),
)

# Which claim a fault belongs to is held against its chain by itself; nothing of a fault ever changes.
FAULT_DIGEST: Final = row_digest(
    "f",
    "affected_user cleared code connector_id description edited_by evidence filed_by info key message_id"
    " occurred_at original_digest raw_code received_at reservation_id session_id severity_hint source spot_id"
    " stated_time taxonomy time_quality unknown zone",
)

_WRITTEN: Final = (
    "key",
    "source",
    "message_id",
    "claim_id",
    "spot_id",
    "connector_id",
    "code",
    "taxonomy",
    "raw_code",
    "info",
    "cleared",
    "occurred_at",
    "received_at",
    "time_quality",
    "stated_time",
    "zone",
    "affected_user",
    "reservation_id",
    "session_id",
    "description",
    "severity_hint",
    "evidence",
    "filed_by",
    "edited_by",
    "original_digest",
    "unknown",
)

_KNOWN: Final = "SELECT replace(key::text, '-', '') FROM faults WHERE key = ANY(%s::uuid[])"

# Few clears belong to no claim, and these are in an index of their own.
_STRAY: Final = "f.cleared AND f.claim_id IS NULL"
_STRAY_CLEARS: Final = f"""
SELECT s.* FROM jsonb_array_elements(%s::jsonb) AS w CROSS JOIN LATERAL (
    SELECT {selected(faults, Fault, alias="f")} FROM faults f
    WHERE f.spot_id = w->>0 AND f.code = w->>1 AND f.occurred_at >= (w->>2)::timestamptz AND {_STRAY}
    ORDER BY f.occurred_at LIMIT {STRAY_CLEARS_OF_A_PAIR}
) s
"""

# When the errors of claims were raised and cleared.
_REPORTS: Final = f"""
WITH w AS (SELECT id, place FROM unnest(%s::uuid[]) WITH ORDINALITY AS w(id, place))
SELECT w.place, f.occurred_at, f.cleared
FROM w CROSS JOIN LATERAL (
    SELECT body FROM audit_events
    WHERE subject_id = w.id AND kind IN ('claim.opened', 'claim.faults_counted')
    ORDER BY seq DESC LIMIT {EVENTS_WITH_REPORTS}
) AS e
CROSS JOIN LATERAL json_array_elements_text(e.body::json->'faults') AS named(key)
CROSS JOIN LATERAL (SELECT occurred_at, cleared FROM faults WHERE key = named.key::uuid LIMIT 1) AS f
UNION ALL
SELECT w.place, f.occurred_at, f.cleared FROM w JOIN claims c ON c.id = w.id CROSS JOIN LATERAL (
    SELECT occurred_at, cleared FROM faults f
    WHERE f.spot_id = c.spot_id AND f.code = c.code AND f.occurred_at >= c.first_seen_at AND {_STRAY}
    LIMIT {STRAY_CLEARS_OF_A_CLAIM}
) AS f
"""

INSERT_FAULTS: Final = insert(faults, _WRITTEN)


class FaultRows(Executor):
    """Reads faults within a transaction."""

    def known_messages(self, keys: Sequence[str]) -> set[str]:
        return {key for (key,) in self._execute(_KNOWN, as_array(keys))}

    def stray_clears(self, begins: Mapping[SpotAndCode, datetime]) -> dict[SpotAndCode, list[Fault]]:
        wanted = orjson.dumps([(*pair, since) for pair, since in begins.items()]).decode()
        found: dict[SpotAndCode, list[Fault]] = {}
        for row in self._execute(_STRAY_CLEARS, wanted):
            fault = Fault(row[0].replace("-", ""), *row[1:])
            found.setdefault((fault.spot_id, fault.code), []).append(fault)
        return found

    def reports(self, claims: Sequence[Claim]) -> list[list[Report]]:
        reports: list[list[Report]] = [[] for _ in claims]
        for place, moment, cleared in self._execute(_REPORTS, as_array(claim.id for claim in claims)):
            reports[place - 1].append((moment, cleared))
        return reports


class FaultQueries(DatabaseQueries):
    """Reads faults for people and programs."""

    def list_faults(self, keys: list[str]) -> list[Row]:
        return self._rows(select(faults).where(faults.c.key.in_(keys)).order_by(faults.c.occurred_at))
