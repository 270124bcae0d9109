"""Reads the evaluation input of all claims of a batch at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from adapters.postgres.eligibility.signed_reads import check_signed_values
from adapters.postgres.evidence.items import read_evidence_kinds
from adapters.postgres.field.faults import FAULT_DIGEST
from adapters.postgres.field.spots import read_spots
from adapters.postgres.field.usage import LONG, USAGE_DIGEST, usage_records
from adapters.postgres.statements import Execute, Executor, as_array, selected
from domain.audit.row_digests import joined
from domain.claims.claim import Claim
from domain.eligibility.contradiction import mark_contradicted
from domain.eligibility.corroboration import METER_CODES
from domain.eligibility.evaluation import EVENTS_WITH_ERRORS, EvaluationInput
from domain.eligibility.question import AROUND, LONGEST_SESSION, SESSIONS_AT_MOST, question_of, reservation_window
from domain.evidence.item import demanded
from domain.field.signed_value import CheckSigned, unchecked
from domain.field.usage import UsageRecord
from domain.policy.policy import Policy

_VERDICTS: Final = """
SELECT c.id::text, e.body FROM claims c JOIN audit_events e ON e.subject_id = c.id AND e.seq = c.verdict_seq
WHERE c.id = ANY(%s::uuid[])
"""

# The records that a claim asks for: `domain.eligibility.question`. One may come twice: to tell them apart, it
# would take to compare them as a whole. Every part is a range of one index.
_PLACE: Final = "coalesce(r.started_at, r.ended_at, r.recorded_at)"
_NOT_READ: Final = ("samples", "unknown", "takes_back", "contradicted_kwh", "checked")
_USAGE: Final = selected(usage_records, UsageRecord, alias="r", but=_NOT_READ)
_OF_SPOT: Final = f"SELECT {_USAGE} FROM usage_records r WHERE r.spot_id = w.spot_id AND r.current"
_LONGEST: Final = f"interval '{LONGEST_SESSION.total_seconds():.0f} seconds'"
_MOST: Final = SESSIONS_AT_MOST + 1
_AROUND: Final = f"""
    ({_OF_SPOT} AND w.around AND {_PLACE} BETWEEN w.since - {_LONGEST} AND w.until LIMIT {_MOST})
    UNION ALL
    ({_OF_SPOT} AND w.around AND r.{LONG} AND {_PLACE} < w.since - {_LONGEST} AND r.ended_at >= w.since
        LIMIT {_MOST})
    UNION ALL
    ({_OF_SPOT} AND w.around AND r.under_way AND r.ended_at IS NULL AND {_PLACE} < w.since - {_LONGEST}
        AND r.recorded_at >= w.since LIMIT {_MOST})
"""
_FLOW: Final = f"""
    ({_OF_SPOT} AND w.flow AND {_PLACE} <= w.moment ORDER BY {_PLACE} DESC LIMIT 1)
    UNION ALL
    ({_OF_SPOT} AND w.flow AND {_PLACE} > w.moment ORDER BY {_PLACE} LIMIT 1)
"""
# An operator uses the number of a reservation again, so only those of its time are under this one.
_RESERVED: Final = """r.reservation_id = w.reservation_id
    AND (r.started_at BETWEEN w.reserved_since AND w.reserved_until
        OR r.ended_at BETWEEN w.reserved_since AND w.reserved_until)"""
# The session before the claimed one on its connector, the one after, and those that ran at the same time.
_CLAIMED: Final = f"""
    SELECT r.* FROM usage_records r WHERE r.spot_id = w.spot_id AND r.current AND r.session_id = w.session_id
    UNION ALL
    SELECT r.* FROM usage_records r WHERE w.by_reservation AND r.spot_id = w.spot_id AND r.current AND {_RESERVED}
"""
_ON_ITS_CONNECTOR: Final = f"{_OF_SPOT} AND r.connector_id = n.connector_id AND r.key <> n.key"
_NEIGHBOURS: Final = f"""
    SELECT beside.* FROM ({_CLAIMED}) n CROSS JOIN LATERAL (
        ({_ON_ITS_CONNECTOR} AND {_PLACE} < n.started_at ORDER BY {_PLACE} DESC LIMIT 1)
        UNION ALL
        ({_ON_ITS_CONNECTOR} AND {_PLACE} > n.started_at ORDER BY {_PLACE} LIMIT 1)
        UNION ALL
        ({_ON_ITS_CONNECTOR} AND {_PLACE} BETWEEN n.started_at - {_LONGEST} AND n.ended_at
            AND r.ended_at > n.started_at LIMIT {_MOST})
    ) beside WHERE n.connector_id > 0
"""
_ASKED_FOR: Final = f"""
SELECT w.place, u.*
FROM json_to_recordset(%s::json)
    AS w(place integer, spot_id text, moment timestamptz, since timestamptz, until timestamptz,
        session_id text, reservation_id text, reserved_since timestamptz, reserved_until timestamptz,
        by_reservation boolean, around boolean, flow boolean)
CROSS JOIN LATERAL (
    ({_OF_SPOT} AND r.session_id = w.session_id)
    UNION ALL
    ({_OF_SPOT} AND {_RESERVED})
    UNION ALL {_AROUND} UNION ALL {_FLOW} UNION ALL {_NEIGHBOURS}
) u
"""

# What else was said of the same sessions, finally. Few sessions have any, and these are in an index of their own.
_SUPERSEDED: Final = f"""
SELECT s.* FROM unnest(%s::text[], %s::text[]) AS w(spot_id, session_id) CROSS JOIN LATERAL (
    SELECT r.takes_back, {_USAGE} FROM usage_records r
    WHERE r.spot_id = w.spot_id AND r.session_id = w.session_id AND NOT r.current
        AND (r.takes_back OR (r.ended_at IS NOT NULL AND NOT r.under_way))
) AS s
"""

# What each claim's faults said: how the field named the error. The first audit events name the faults. One look
# into an index for each claim and each fault, which PostgreSQL would not choose by itself: it cannot know how few
# a claim has.
_ERRORS: Final = f"""
SELECT w.place, f.taxonomy, f.raw_code, named.key, f.digest
FROM unnest(%s::uuid[]) WITH ORDINALITY AS w(id, place)
CROSS JOIN LATERAL (
    SELECT body, kind FROM audit_events
    WHERE subject_id = w.id AND kind IN ('claim.opened', 'claim.faults_counted')
    ORDER BY seq LIMIT {EVENTS_WITH_ERRORS}
) AS e
CROSS JOIN LATERAL json_array_elements_text(e.body::json->'faults') AS named(key)
CROSS JOIN LATERAL (
    SELECT taxonomy, raw_code, CASE WHEN e.kind = 'claim.opened' THEN {FAULT_DIGEST} END AS digest
    FROM faults f WHERE key = named.key::uuid LIMIT 1
) AS f
"""
_USAGE_DIGESTS: Final = f"SELECT key::text, {USAGE_DIGEST} FROM usage_records r WHERE key = ANY(%s::uuid[])"


class EvaluationReads(Executor):
    """Reads evaluation input within a transaction. `check_signed` checks signed meter values."""

    check_signed: CheckSigned = staticmethod(unchecked)

    def cases(self, claims: Sequence[Claim], policy: Policy) -> list[EvaluationInput]:
        """Reads each claim with its spot, the usage records that bear on it, and what was reported."""
        spots = read_spots(self._execute, [claim.spot_id for claim in claims])
        usage, verdicts = _asked_for(self._execute, claims, policy), _verdicts(self._execute, claims)
        # What is filed for a claim about a meter may be signed, and then bears on it, demanded or not.
        demanding = [claim.id for claim in claims if claim.code in METER_CODES or demanded(policy, claim.code)]
        kinds = read_evidence_kinds(self._execute, demanding) if demanding else {}
        cases = [
            EvaluationInput(
                claim,
                spots.get(claim.spot_id),
                list(records.values()),
                verdicts.get(claim.id),
                frozenset(said.errors),
                kinds.get(claim.id, frozenset()),
                too_much_usage=len(records) > SESSIONS_AT_MOST,
                faults_digest=joined(said.opening) if said.opening else None,
            )
            for claim, records, said in zip(claims, usage, _said(self._execute, claims), strict=True)
        ]
        check_signed_values(self._execute, cases, self.check_signed)
        return cases

    def usage_digests(self, keys: Sequence[str]) -> dict[str, str]:
        return dict(self._execute(_USAGE_DIGESTS, as_array(keys)).fetchall())


def _asked_for(execute: Execute, claims: Sequence[Claim], policy: Policy) -> list[dict[str, UsageRecord]]:
    """Reads the usage records that each claim asks for, by their keys."""
    reserved = reservation_window(policy)
    wanted = [
        {
            "place": place,
            "spot_id": claim.spot_id,
            "moment": claim.first_seen_at,
            "since": claim.first_seen_at - AROUND,
            "until": claim.first_seen_at + AROUND,
            "session_id": question.session_id,
            "reservation_id": question.reservation_id,
            "reserved_since": claim.first_seen_at - reserved,
            "reserved_until": claim.first_seen_at + reserved,
            "by_reservation": question.by_reservation,
            "around": question.around,
            "flow": question.flow,
        }
        for place, claim in enumerate(claims)
        if (question := question_of(claim))
    ]
    usage: list[dict[str, UsageRecord]] = [{} for _ in claims]
    if wanted:
        for row in execute(_ASKED_FOR, orjson.dumps(wanted).decode()).fetchall():
            if row[1] not in usage[row[0]]:
                usage[row[0]][row[1]] = UsageRecord(*row[1:])
        _mark_contradicted(execute, [record for records in usage for record in records.values()])
    return usage


def _mark_contradicted(execute: Execute, records: Sequence[UsageRecord]) -> None:
    """Compares the records with what else was said of their sessions."""
    sessions = {(record.spot_id, record.session_id) for record in records if record.final}
    if not sessions:
        return
    superseded: dict[tuple[str, str], list[UsageRecord]] = {}
    for takes_back, *row in execute(_SUPERSEDED, *map(list, zip(*sorted(sessions), strict=True))):
        other = UsageRecord(*row)
        other.takes_back = takes_back
        superseded.setdefault((other.spot_id, other.session_id), []).append(other)
    for record in records:
        if others := superseded.get((record.spot_id, record.session_id)):
            mark_contradicted(record, others)


@dataclass(slots=True)
class _Said:
    """The errors of a claim as they were reported, and the digests of the faults that opened it, by their keys."""

    errors: set[tuple[str, str]] = field(default_factory=set)
    opening: dict[str, str] = field(default_factory=dict)


def _said(execute: Execute, claims: Sequence[Claim]) -> list[_Said]:
    """Reads what the faults of each claim said."""
    said = [_Said() for _ in claims]
    for place, taxonomy, raw_code, key, digest in execute(_ERRORS, as_array(claim.id for claim in claims)):
        said[place - 1].errors.add((taxonomy, raw_code))
        if digest is not None:
            said[place - 1].opening[key] = digest
    return said


def _verdicts(execute: Execute, claims: Sequence[Claim]) -> dict[str, dict[str, Any]]:
    judged = [claim.id for claim in claims if claim.verdict_seq]
    if not judged:
        return {}
    return {claim_id: orjson.loads(body) for claim_id, body in execute(_VERDICTS, judged)}
