"""Defines the evaluation input of a claim, and the result of a rule."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from domain.claims.claim import Claim
from domain.field.signed_value import CheckedValue
from domain.field.spot import Spot
from domain.field.usage import UsageRecord

PASS, FAIL, INSUFFICIENT = "pass", "fail", "insufficient"

EVENTS_WITH_ERRORS: Final = 20
"""How many of a claim's first audit events with faults are read for the errors as reported.

What a storm repeats after them adds nothing.
"""


@dataclass(slots=True)
class EvaluationInput:
    """The evaluation input: a claim with all that is known of it.

    `usage` holds the records that it asks for (`domain.eligibility.question`), in any order; `too_much_usage` says
    that they are not all. `verdict` is the last verdict. `reported` are the errors as the field named them, each a
    taxonomy and a raw code; `evidence` the kinds of evidence on file. `filed` is what came of the signed values
    that were filed for the claim or came with its faults; `faults_digest` is over the rows of the faults that
    opened the claim.
    """

    claim: Claim
    spot: Spot | None
    usage: Sequence[UsageRecord]
    verdict: dict[str, Any] | None = None
    reported: frozenset[tuple[str, str]] = frozenset()
    evidence: frozenset[str] = frozenset()
    too_much_usage: bool = False
    filed: list[CheckedValue] = field(default_factory=list)
    faults_digest: str | None = None


@dataclass(slots=True)
class RuleResult:
    """One rule's result: pass, fail or insufficient.

    `sentence` is for reviewers, who can check it against `facts` (JSON-ready). `reason` is a code that stays the
    same from version to version.
    """

    rule: str
    result: str
    reason: str
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)
