"""Reads the evaluation input of all claims of a batch at once."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from adapters.postgres.evidence.items import read_evidence_kinds
from adapters.postgres.field.spots import read_spots
from adapters.postgres.field.usage import usage_records
from adapters.postgres.statements import Execute, Executor, as_array, selected
from domain.claims.claim import Claim
from domain.eligibility.evaluation import (
    EVENTS_WITH_ERRORS,
    NEAREST_CORROBORATING_USAGE,
    NEAREST_USAGE,
    EvaluationInput,
)
from domain.eligibility.usage_rule import CORROBORATING
from domain.evidence.item import demanded
from domain.field.usage import UsageRecord
from domain.policy.error_codes import EQUIPMENT
from domain.policy.policy import Policy

_VERDICTS: Final = """
SELECT c.id::text, e.body FROM claims c JOIN audit_events e ON e.subject_id = c.id AND e.seq = c.verdict_seq
WHERE c.id = ANY(%s::uuid[])
"""

# For each claim: the records nearest before and after the fault, the nearest whose findings bear on its code, and
# that of the session it names. One may come twice: to tell them apart, PostgreSQL would compare them as a whole.
_PLACE: Final = "coalesce(r.started_at, r.ended_at, r.recorded_at)"
_USAGE: Final = selected(usage_records, UsageRecord, alias="r", but=("samples",))
_OF_SPOT: Final = f"SELECT {_USAGE} FROM usage_records r WHERE r.spot_id = w.spot_id AND r.current"
_CORROBORATING: Final = "w.wanted <> '{}'::text[] AND r.findings <> '{}'::text[] AND r.findings && w.wanted"
_NEAREST_USAGE: Final = f"""
SELECT w.place, u.*
FROM json_to_recordset(%s::json)
    AS w(place integer, spot_id text, moment timestamptz, wanted text[], session_id text)
CROSS JOIN LATERAL (
    ({_OF_SPOT} AND {_PLACE} <= w.moment ORDER BY {_PLACE} DESC LIMIT {NEAREST_USAGE})
    UNION ALL
    ({_OF_SPOT} AND {_PLACE} > w.moment ORDER BY {_PLACE} LIMIT {NEAREST_USAGE})
    UNION ALL
    ({_OF_SPOT} AND {_CORROBORATING} AND {_PLACE} <= w.moment
        ORDER BY {_PLACE} DESC LIMIT {NEAREST_CORROBORATING_USAGE})
    UNION ALL
    ({_OF_SPOT} AND {_CORROBORATING} AND {_PLACE} > w.moment
        ORDER BY {_PLACE} LIMIT {NEAREST_CORROBORATING_USAGE})
    UNION ALL
    ({_OF_SPOT} AND r.session_id = w.session_id)
) u
"""

# What each claim's faults said: how the field named the error. The first audit events name the faults. One look
# into an index for each claim and each fault, which PostgreSQL would not choose by itself: it cannot know how few
# a claim has.
_ERRORS: Final = f"""
SELECT w.place, f.taxonomy, f.raw_code
FROM unnest(%s::uuid[]) WITH ORDINALITY AS w(id, place)
CROSS JOIN LATERAL (
    SELECT body FROM audit_events
    WHERE subject_id = w.id AND kind IN ('claim.opened', 'claim.faults_counted')
    ORDER BY seq LIMIT {EVENTS_WITH_ERRORS}
) AS e
CROSS JOIN LATERAL json_array_elements_text(e.body::json->'faults') AS named(key)
CROSS JOIN LATERAL (
    SELECT taxonomy, raw_code FROM faults WHERE key = named.key::uuid LIMIT 1
) AS f
"""


class EvaluationReads(Executor):
    """Reads evaluation input within a transaction."""

    def cases(self, claims: Sequence[Claim], policy: Policy) -> list[EvaluationInput]:
        """Reads each claim with its spot, the usage records that bear on it, and what was reported."""
        spots = read_spots(self._execute, [claim.spot_id for claim in claims])
        usage, verdicts = _nearest_usage(self._execute, claims), _verdicts(self._execute, claims)
        demanding = [claim.id for claim in claims if demanded(policy, claim.code)]
        kinds = read_evidence_kinds(self._execute, demanding) if demanding else {}
        return [
            EvaluationInput(
                claim,
                spots.get(claim.spot_id),
                list(records.values()),
                verdicts.get(claim.id),
                frozenset(reported),
                kinds.get(claim.id, frozenset()),
            )
            for claim, records, reported in zip(claims, usage, _errors(self._execute, claims), strict=True)
        ]


def _nearest_usage(execute: Execute, claims: Sequence[Claim]) -> list[dict[str, UsageRecord]]:
    """Reads the usage records of each claim by their keys; none for equipment, of which usage says nothing."""
    wanted = [
        {
            "place": place,
            "spot_id": claim.spot_id,
            "moment": claim.first_seen_at,
            "wanted": CORROBORATING.get(claim.code, ()),
            "session_id": claim.session_id,
        }
        for place, claim in enumerate(claims)
        if claim.claim_type != EQUIPMENT
    ]
    usage: list[dict[str, UsageRecord]] = [{} for _ in claims]
    if wanted:
        for row in execute(_NEAREST_USAGE, orjson.dumps(wanted).decode()).fetchall():
            if row[1] not in usage[row[0]]:
                usage[row[0]][row[1]] = UsageRecord(*row[1:])
    return usage


def _errors(execute: Execute, claims: Sequence[Claim]) -> list[set[tuple[str, str]]]:
    """Reads the errors of each claim as they were reported."""
    errors: list[set[tuple[str, str]]] = [set() for _ in claims]
    for place, taxonomy, raw_code in execute(_ERRORS, as_array(claim.id for claim in claims)):
        errors[place - 1].add((taxonomy, raw_code))
    return errors


def _verdicts(execute: Execute, claims: Sequence[Claim]) -> dict[str, dict[str, Any]]:
    judged = [claim.id for claim in claims if claim.verdict_seq]
    if not judged:
        return {}
    return {claim_id: orjson.loads(body) for claim_id, body in execute(_VERDICTS, judged)}
