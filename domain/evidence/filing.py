"""Files evidence for a claim, and withdraws it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.lifecycle import APPROVED, JUDGED, WAITING_FOR_VERDICT
from domain.errors import Conflict, EvidenceRefused, NotFound
from domain.evidence.events import EvidenceAdded, EvidenceChanged, EvidenceWithdrawn
from domain.evidence.item import MOST_NOTE_CHARACTERS, Evidence, digest
from domain.policy.policy import SIGNED_METER_VALUE
from domain.steps import Verify

MOST_ITEMS: Final = 256


def demand_open(claim: Claim) -> None:
    """Raises `Conflict` for a closed claim: its evidence stays as decided on."""
    if claim.closed_at is not None:
        raise Conflict(f"The claim is {claim.status}; its evidence is closed.")


def same_item(items: Sequence[Evidence], item: Evidence) -> Evidence | None:
    """Finds the same item from the same person, if it is not withdrawn.

    A program that lost the response sends its request twice.
    """
    same = (item.kind, item.added_by, item.content)
    return next((old for old in items if old.standing and (old.kind, old.added_by, old.content) == same), None)


def add(claim: Claim, items: Sequence[Evidence], item: Evidence) -> Changes:
    """Adds an item to the `items` of a claim.

    A claim that waits for its verdict is verified again; after a signed value, any that nobody decided. Raises
    `Conflict` for a claim that is closed or holds `MOST_ITEMS` already.
    """
    demand_open(claim)
    if len(items) >= MOST_ITEMS:
        raise Conflict(f"The claim has {len(items)} items of evidence; there may be {MOST_ITEMS}.")
    return _changed(claim, item, _added(items, item), item.added_at, item.added_by)


def _added(items: Sequence[Evidence], item: Evidence, **more: Any) -> EvidenceAdded:
    file = item.file
    if file:
        more |= {"sha256": file.sha256, "size": file.size, "media_type": file.media_type}
    set_digest = digest([*items, item])
    return EvidenceAdded(id=item.id, item_kind=item.kind, content=item.hash, evidence_digest=set_digest, **more)


def carry_over(
    claim: Claim, items: Sequence[Evidence], following: Sequence[Evidence], duplicate: str, who: str, now: datetime
) -> Changes:
    """Adds what follows from a duplicate to the `items` of a claim.

    They keep who filed them and when. What the claim has already is left out; `MOST_ITEMS` does not hold here,
    since nothing may be lost.
    """
    changes, there = Changes(), list(items)
    for item in following:
        if same_item(there, item) is None:
            more = {"duplicate": duplicate, "filed_at": item.added_at, "filed_by": item.added_by}
            changes.add(_changed(claim, item, _added(there, item, **more), now, who))
            there.append(item)
    return changes


def withdraw(
    claim: Claim, items: Sequence[Evidence], item_id: str, *, who: str, reason: str, now: datetime
) -> Changes:
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
    event = EvidenceWithdrawn(id=item.id, item_kind=item.kind, reason=reason, evidence_digest=digest(items))
    return _changed(claim, item, event, now, who)


def find(items: Sequence[Evidence], item_id: str) -> Evidence:
    """Finds the item with this id. Raises `NotFound`."""
    for item in items:
        if item.id == item_id.lower():
            return item
    raise NotFound(f"The claim has no evidence {item_id[:64]}.")


def _changed(claim: Claim, item: Evidence, event: EvidenceChanged, at: datetime, who: str) -> Changes:
    changes = Changes(item)
    changes.record(claim, event, at, who)
    # A signed value may decide, so what rests on it, or on its absence, is judged again.
    if claim.status in (JUDGED if item.kind == SIGNED_METER_VALUE else WAITING_FOR_VERDICT):
        changes.put(Verify([claim.id]))
    return changes
