"""Defines the evaluation input of a claim, and the result of a rule."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from domain.claims.claim import Claim
from domain.field.spot import Spot
from domain.field.usage import UsageRecord

PASS, FAIL, INSUFFICIENT = "pass", "fail", "insufficient"

NEAREST_USAGE: Final = 5
"""How many of a spot's usage records are read before the fault, and how many after it; the nearest in time.

The record of the session that the claim names is read besides.
"""

NEAREST_CORROBORATING_USAGE: Final = 3
"""How many more are read before the fault, and how many after it, whose findings bear on the claim's code."""

EVENTS_WITH_ERRORS: Final = 20
"""How many of a claim's first audit events with faults are read for the errors as reported.

What a storm repeats after them adds nothing.
"""


@dataclass(slots=True)
class EvaluationInput:
    """The evaluation input: a claim with all that is known of it.

    `usage` holds the records that bear on it, in any order, and `verdict` the last verdict. `reported` are the
    errors as the field named them, each a taxonomy and a raw code; `evidence` the kinds of evidence on file.
    """

    claim: Claim
    spot: Spot | None
    usage: Sequence[UsageRecord]
    verdict: dict[str, Any] | None = None
    reported: frozenset[tuple[str, str]] = frozenset()
    evidence: frozenset[str] = frozenset()


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
