"""A claim as it is judged: with its spot, what the spot recorded, and what was said of it; and a rule's answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.claims.claim import Claim
from domain.field.spot import Spot
from domain.field.usage import UsageRecord

PASS, FAIL, INSUFFICIENT = "pass", "fail", "insufficient"


@dataclass(slots=True)
class Case:
    """A claim with all that is known of it.

    `usage` holds the records that bear on it, in any order, and `verdict` what was found last. `reported` are the
    errors as the field put them, each a taxonomy and a raw code; `evidence` the kinds of evidence on file.
    """

    claim: Claim
    spot: Spot | None
    usage: Sequence[UsageRecord]
    verdict: dict[str, Any] | None = None
    reported: frozenset[tuple[str, str]] = frozenset()
    evidence: frozenset[str] = frozenset()


@dataclass(slots=True)
class Answer:
    """One rule's answer: pass, fail or insufficient, in words a reviewer can check against `facts`.

    `reason` is a code that stays the same from version to version; `facts` are JSON-ready.
    """

    rule: str
    result: str
    reason: str
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)
