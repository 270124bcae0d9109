"""Marks claims as duplicates for people: one closes, and what it knows follows to the other."""

from datetime import datetime
from typing import Any, Final

from domain.changes import Changes
from domain.claims import sla
from domain.claims.announcing import announce
from domain.claims.claim import Claim
from domain.claims.correct import Asked, clocks, common, demand_correctable, starts_afresh
from domain.claims.correction_events import FOLLOWING, ClaimMarkedDuplicate, DuplicateTaken
from domain.claims.lifecycle import CLOSED
from domain.errors import Conflict
from domain.field.spot import Spot
from domain.policy.policy import Policy
from domain.steps import Verify

MARK_DUPLICATE: Final = "mark as a duplicate"


def mark_duplicate(
    claim: Claim, other: Claim, asked: Asked, *, spot: Spot | None, policy: Policy, now: datetime
) -> Changes:
    """Closes a claim as a duplicate of another open one, and counts its reports there.

    `spot` and `policy` are those of the other. That is judged again, and approved from the start if somebody who
    filed the duplicate has approved it. Raises what `demand_correctable` does, and `Conflict` for a claim that is
    its own duplicate or that of a closed one.
    """
    authority = demand_correctable(claim, MARK_DUPLICATE, asked, now)
    _demand_other(claim, other)
    taken = _taken(claim, other)
    own = set(taken.get("also_filed_by", ())) & set(other.approved_by)
    afresh = bool(own) and starts_afresh(other, other, policy, anew=True)
    changed = clocks(other, afresh, spot, policy, now) if afresh else {}
    closed = ClaimMarkedDuplicate(of=other.id, **common(authority, asked, False, sla.acknowledge(claim, now)))
    counted = DuplicateTaken(duplicate=claim.id, **taken, **common(authority, asked, afresh, changed))
    changes = Changes()
    changes.record(claim, closed, now, asked.person.name)
    changes.record(other, counted, now, asked.person.name)
    changes.put(*announce([claim]), Verify([other.id]))
    if afresh:
        changes.put(*sla.schedule([other], lambda _: policy, now))
    return changes


def _demand_other(claim: Claim, other: Claim) -> None:
    if claim.id == other.id:
        raise Conflict("A claim is no duplicate of itself; name another one.")
    if other.duplicate_of is not None:
        raise Conflict(f"Claim {other.name} is itself a duplicate of claim {other.duplicate_of}; name that one.")
    if other.status in CLOSED:
        raise Conflict(f"Claim {other.name} is {other.status}; a claim is a duplicate of an open one.")


def _taken(claim: Claim, other: Claim) -> dict[str, Any]:
    """Returns what follows to the other claim. Sessions and reservations are those of one spot."""
    cleared = [moment for moment in (claim.cleared_at, other.cleared_at) if moment is not None]
    taken: dict[str, Any] = {
        "fault_count": other.fault_count + claim.fault_count,
        "first_seen_at": min(other.first_seen_at, claim.first_seen_at),
        "last_seen_at": max(other.last_seen_at, claim.last_seen_at),
        "cleared_at": max(cleared, default=None),
    }
    filers = {claim.filed_by, *claim.also_filed_by} - {None, other.filed_by, *other.also_filed_by}
    if filers:
        taken["also_filed_by"] = [*other.also_filed_by, *sorted(str(name) for name in filers)]
    following = FOLLOWING if claim.spot_id == other.spot_id else FOLLOWING[:1]
    for name in following:
        if getattr(other, name) is None and getattr(claim, name) is not None:
            taken[name] = getattr(claim, name)
    return taken
