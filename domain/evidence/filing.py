"""Evidence is filed for a claim and withdrawn from it: what that changes and what follows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from domain.audit import chain as audit
from domain.changes import Decision, Step
from domain.claims.claim import Claim
from domain.claims.lifecycle import APPROVED, WAITING_FOR_VERDICT
from domain.errors import Conflict, EvidenceRefused, NotAllowed, NotFound
from domain.evidence.item import MOST_NOTE_CHARACTERS, Evidence, digest

MOST_ITEMS: Final = 256


def demand_may_file(role: str) -> None:
    """Raises `NotAllowed` for auditors, who read."""
    if role == "auditor":
        raise NotAllowed("Auditors read; they neither add nor withdraw evidence.")


def demand_open(claim: Claim) -> None:
    """Raises `Conflict` for a claim that is closed: its evidence stays as it was decided on."""
    if claim.closed_at is not None:
        raise Conflict(f"The claim is {claim.status}; its evidence is closed.")


def same_item(items: Sequence[Evidence], item: Evidence) -> Evidence | None:
    """The item that stands and says the same from the same person: a program that lost its answer asks twice."""
    told = (item.kind, item.added_by, item.content)
    return next((old for old in items if old.standing and (old.kind, old.added_by, old.content) == told), None)


def add(claim: Claim, items: Sequence[Evidence], item: Evidence) -> Decision:
    """Adds an item to the `items` that the claim has. A claim that waits for its verdict is checked again.

    Raises `Conflict` for a claim that is closed or holds `MOST_ITEMS` already.
    """
    demand_open(claim)
    if len(items) >= MOST_ITEMS:
        raise Conflict(f"The claim has {len(items)} items of evidence; there may be {MOST_ITEMS}.")
    file = item.file
    told: dict[str, Any] = {"id": item.id, "kind": item.kind, "content": item.hash}
    if file is not None:
        told |= {"sha256": file.sha256, "size": file.size, "media_type": file.media_type}
    return _changed(claim, [*items, item], item, item.added_at, item.added_by, "claim.evidence_added", told)


def withdraw(
    claim: Claim, items: Sequence[Evidence], item_id: str, *, who: str, reason: str, now: datetime
) -> Decision:
    """Withdraws one of the claim's `items`; it stays on record, with its bytes.

    Raises `NotFound` for an item that is not the claim's, `EvidenceRefused` without a reason, and `Conflict` for
    an item that is withdrawn already or that an approval rests on.
    """
    item = find(items, item_id)
    demand_open(claim)
    if not reason.strip() or len(reason) > MOST_NOTE_CHARACTERS:
        sentence = f"Say why it is withdrawn, in up to {MOST_NOTE_CHARACTERS} characters."
        raise EvidenceRefused("REASON_MISSING", sentence)
    if not item.standing:
        raise Conflict(f"Evidence {item.id} was withdrawn already.")
    if claim.status == APPROVED:
        raise Conflict("The claim was approved on this evidence; it stays.")
    item.withdrawn_at, item.withdrawn_by = now, who
    told = {"id": item.id, "kind": item.kind, "reason": reason}
    return _changed(claim, items, item, now, who, "claim.evidence_withdrawn", told)


def find(items: Sequence[Evidence], item_id: str) -> Evidence:
    """The item with this id. Raises `NotFound`."""
    for item in items:
        if item.id == item_id.lower():
            return item
    raise NotFound(f"The claim has no evidence {item_id[:64]}.")


def _changed(
    claim: Claim,
    items: Sequence[Evidence],
    item: Evidence,
    at: datetime,
    who: str,
    kind: str,
    told: dict[str, Any],
) -> Decision:
    claim.evidence_digest = digest(items)
    event = audit.append(claim, at, who, kind, told | {"evidence_digest": claim.evidence_digest})
    decision = Decision(changed=[claim], events=[event], evidence=[item])
    if claim.status in WAITING_FOR_VERDICT:
        decision.steps.append(Step("verify", [claim.id]))
    return decision
