"""What claims are judged by, read for all claims of a batch at once."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from adapters.postgres import reads
from domain.claims.claim import Claim
from domain.eligibility.evaluation import Case
from domain.eligibility.usage_rule import CORROBORATING
from domain.error_codes import EQUIPMENT
from domain.evidence.item import demanded
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from domain.policy import Policy

Execute = Callable[..., Any]
"""Carries out a statement with its parameters, and gives its rows."""


def read_cases(execute: Execute, claims: Sequence[Claim], policy: Policy) -> list[Case]:
    """Each claim with its spot, the usage records that may speak for or against it, and what was reported."""
    found = [Spot(*row) for row in execute(reads.SPOTS, [claim.spot_id for claim in claims])]
    spots = {spot.spot_id: spot for spot in found}
    usage, verdicts = _nearest_usage(execute, claims), _verdicts(execute, claims)
    demanding = [claim.id for claim in claims if demanded(policy, claim.code)]
    kinds = read_evidence_kinds(execute, demanding) if demanding else {}
    return [
        Case(
            claim,
            spots.get(claim.spot_id),
            list(records.values()),
            verdicts.get(claim.id),
            frozenset(reported),
            kinds.get(claim.id, frozenset()),
        )
        for claim, records, reported in zip(claims, usage, _errors(execute, claims), strict=True)
    ]


def read_evidence_kinds(execute: Execute, claim_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Which kinds of evidence each claim has on file."""
    ids = as_array(claim_ids)
    found = dict.fromkeys(claim_ids, frozenset[str]())
    return found | {claim_id: frozenset(kinds) for claim_id, kinds in execute(reads.EVIDENCE_KINDS, ids, ids)}


def as_array(ids: Sequence[str]) -> str:
    """Ids as one array literal, which PostgreSQL reads faster than a list of them; they need no quotes."""
    return "{" + ",".join(ids) + "}"


def _nearest_usage(execute: Execute, claims: Sequence[Claim]) -> list[dict[str, UsageRecord]]:
    """Of each claim, by their keys; none for those that usage says nothing of."""
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
        for row in execute(reads.NEAREST_USAGE, orjson.dumps(wanted).decode()).fetchall():
            if row[1] not in usage[row[0]]:
                usage[row[0]][row[1]] = UsageRecord(*row[1:])
    return usage


def _errors(execute: Execute, claims: Sequence[Claim]) -> list[set[tuple[str, str]]]:
    """Of each claim, the errors as they were reported."""
    errors: list[set[tuple[str, str]]] = [set() for _ in claims]
    for place, taxonomy, raw_code in execute(reads.ERRORS, as_array([claim.id for claim in claims])):
        errors[place - 1].add((taxonomy, raw_code))
    return errors


def _verdicts(execute: Execute, claims: Sequence[Claim]) -> dict[str, dict[str, Any]]:
    judged = [claim.id for claim in claims if claim.verdict_seq]
    if not judged:
        return {}
    return {claim_id: orjson.loads(body) for claim_id, body in execute(reads.VERDICTS, judged)}
