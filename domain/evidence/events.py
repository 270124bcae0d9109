"""Defines the events of a claim's evidence set."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain import steps
from domain.audit.event import UNSTATED, Event, Stated
from domain.claims.claim import Claim
from domain.text import count


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceChanged(Event[Claim]):
    """Base of changes of the evidence set; `evidence_digest` is its new digest."""

    LEADS_TO = (steps.Verify,)
    KEYS: ClassVar = {"item_kind": "kind"}

    id: str
    item_kind: str
    evidence_digest: str

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        claim.evidence_digest = self.evidence_digest

    @property
    def _item(self) -> str:
        return self.item_kind.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAdded(EvidenceChanged):
    """Somebody filed an item.

    `content` is the SHA-256 of its content, `sha256` that of its file. An item that follows from a duplicate claim
    states which one, and when and by whom it was filed there.
    """

    KIND = "claim.evidence_added"

    content: str
    sha256: Stated[str] = UNSTATED
    size: Stated[int] = UNSTATED
    media_type: Stated[str] = UNSTATED
    duplicate: Stated[str] = UNSTATED
    filed_at: Stated[datetime] = UNSTATED
    filed_by: Stated[str] = UNSTATED

    @property
    def sentence(self) -> str:
        size = "" if self.size is UNSTATED else f" ({self.media_type}, {count(self.size, 'byte')})"
        follows = "" if self.duplicate is UNSTATED else f", from duplicate claim {self.duplicate}"
        return f"added evidence: {self._item}{size}{follows}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceWithdrawn(EvidenceChanged):
    """Somebody withdrew an item; it stays on record and no longer counts."""

    KIND = "claim.evidence_withdrawn"

    reason: str

    @property
    def sentence(self) -> str:
        return f"withdrew evidence: {self._item}"

    @property
    def remark(self) -> str:
        return self.reason


EVENTS = (EvidenceAdded, EvidenceWithdrawn)
