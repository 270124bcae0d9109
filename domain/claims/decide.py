"""What a person decides about a claim, and whether that person may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.audit import chain as audit
from domain.changes import Decision, Step
from domain.claims import sla
from domain.claims.approval import deciders, overdue_steps
from domain.claims.claim import Claim
from domain.claims.lifecycle import CLOSED, UNDER_REVIEW, after
from domain.errors import Conflict, NotAllowed, NoteRefused, SpotclaimError
from domain.evidence.item import demand_seen, storable
from domain.notifications.notice import news_of

APPROVE, REJECT, RESOLVE = "approve", "reject", "resolve"
ACKNOWLEDGE, NOTE, WITHDRAW, REOPEN = "acknowledge", "note", "withdraw", "reopen"
DECISIONS: Final = (ACKNOWLEDGE, APPROVE, REJECT, RESOLVE)
ACTIONS: Final = (*DECISIONS, NOTE, WITHDRAW, REOPEN)

# What nobody does without saying why, and where saying it is all.
_WITH_A_NOTE: Final = (REJECT, WITHDRAW, REOPEN, NOTE)

_ANYBODY = ("operator", "reviewer", "manager", "admin")
# Who may do what does not belong to a stage. Whoever filed a claim may withdraw it too.
_ROLES: Final = {
    ACKNOWLEDGE: _ANYBODY,
    NOTE: _ANYBODY,
    RESOLVE: _ANYBODY,
    WITHDRAW: ("manager", "admin"),
    REOPEN: ("manager", "admin"),
}
_EVENTS: Final = {ACKNOWLEDGE: "claim.acknowledged", NOTE: "claim.noted", REOPEN: "claim.reopened"}


@dataclass(frozen=True, slots=True)
class Delegation:
    """Somebody else's authority that a person holds until a moment."""

    role: str
    of: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, in which role, and with whose authority beside their own."""

    name: str
    role: str
    delegations: tuple[Delegation, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A claim to decide, and what the person saw of it: its version, and the digest of its evidence.

    That people were told of the claim since makes it no other one; anything else that happened to it does.
    """

    claim_id: str
    version: int | None = None
    evidence_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A claim that was not decided, and why."""

    claim_id: str
    reason: SpotclaimError


@dataclass(frozen=True, slots=True)
class _Authority:
    """The role a decision is taken in, and the person it really belongs to if it was delegated."""

    role: str
    of: str | None = None


def decide(
    claim: Claim,
    action: str,
    person: Person,
    *,
    note: str = "",
    version: int | None = None,
    changed_at: int | None = None,
    evidence_digest: str | None = None,
    lacking: Sequence[str] = (),
    now: datetime,
    policies: sla.Policies,
) -> Decision:
    """One person's decision on one claim. `changed_at` is the number of its last event that was more than being
    told of; its version unless given. `policies` finds the one that bound the claim's clocks, and `lacking` names
    the kinds of evidence that the policy demands and that are not on file.

    Raises `NoteRefused` when the action takes a reason and `note` gives none, or cannot be kept; `Conflict` when
    the claim or its evidence has moved on from what the person saw, when its state does not allow the action, or
    when it is to be approved without its evidence; `NotAllowed` when it is not theirs to decide: the stage belongs
    to another role, they filed the claim or reported it again, or they have approved it before where four eyes are
    demanded.
    """
    if action not in ACTIONS:
        raise Conflict(f"Unknown action {action}; there are: {', '.join(ACTIONS)}.")
    _demand_note(action, note)
    _demand_version(claim, version, claim.version if changed_at is None else changed_at)
    demand_seen(claim, evidence_digest)
    status = _status_after(claim, action)
    if action == APPROVE and lacking:
        raise Conflict(f"The policy demands evidence that is not on file: {', '.join(lacking)}.")
    authority = _demand_authority(claim, action, person, now)
    data: dict[str, Any] = {"action": action, "role": authority.role, "note": note}
    if authority.of is not None:
        data["on_behalf_of"] = authority.of
    if claim.status == UNDER_REVIEW:
        data |= {"stage": claim.stage, "of_stages": len(claim.stages)}
    if action == APPROVE:
        data["evidence_digest"] = claim.evidence_digest
    closed_at = claim.closed_at
    kind = _move(claim, action, status, person, authority, now)
    clocks = {} if action == NOTE else sla.acknowledge(claim, now)
    if action == REOPEN:
        clocks |= sla.follow(claim, policies(claim.policy_version), now, closed_at=closed_at)
    if clocks:
        data["clocks"] = clocks
    event = audit.append(claim, now, person.name, kind, data)
    return Decision(changed=[claim], events=[event], steps=_steps_after(claim, action, policies, now))


def _demand_version(claim: Claim, version: int | None, changed_at: int) -> None:
    if version is not None and not changed_at <= version <= claim.version:
        raise Conflict(f"The claim is at version {claim.version} by now; you saw version {version}.")


def _demand_note(action: str, note: str) -> None:
    if action in _WITH_A_NOTE and not note.strip():
        raise NoteRefused(f"The note is missing; to {action} a claim, say why in it.")
    if not storable(note):
        raise NoteRefused("The note holds U+0000 or half of a surrogate pair; no record can keep that.")


def _status_after(claim: Claim, action: str) -> str:
    if action == NOTE or (action == ACKNOWLEDGE and claim.status not in CLOSED):
        return claim.status
    status = after(claim.status, action)
    stages_are_left = action == APPROVE and claim.stage < len(claim.stages)
    return claim.status if stages_are_left else status


def _move(claim: Claim, action: str, status: str, person: Person, authority: _Authority, now: datetime) -> str:
    """Changes the claim and names the event that says so."""
    if action == APPROVE:
        claim.approved_by = [*claim.approved_by, *(name for name in (person.name, authority.of) if name)]
        claim.escalated_to = None
        if status == UNDER_REVIEW:
            claim.stage += 1
            return "claim.stage_passed"
    if action == REOPEN:
        claim.closed_at, claim.stage, claim.stages, claim.approved_by = None, 0, [], []
        claim.reopened += 1
    if status != claim.status:
        claim.escalated_to = None
    claim.status = status
    if status in CLOSED and claim.closed_at is None:
        claim.closed_at = now
    return _EVENTS.get(action, f"claim.{status}")


def _steps_after(claim: Claim, action: str, policies: sla.Policies, now: datetime) -> list[Step]:
    if action in (NOTE, ACKNOWLEDGE):
        return []
    if action == REOPEN:
        return [Step("verify", [claim.id]), *sla.owe([claim], policies, now)]
    return [*news_of([claim]), *overdue_steps([claim], now)]


def _demand_authority(claim: Claim, action: str, person: Person, now: datetime) -> _Authority:
    if person.role == "auditor":
        raise NotAllowed("Auditors read; they do not decide.")
    held = [_Authority(person.role), *(_Authority(d.role, d.of) for d in person.delegations if now < d.until)]
    if action not in (APPROVE, REJECT):
        if action == WITHDRAW and person.name == claim.filed_by:
            return held[0]
        return _first_of(held, _ROLES[action], f"To {action} a claim takes")
    authority = _first_of(held, deciders(claim), "This stage belongs to")
    if action == APPROVE:
        _demand_other_eyes(claim, person.name, authority.of)
    return authority


def _first_of(held: list[_Authority], roles: list[str] | tuple[str, ...], demand: str) -> _Authority:
    for authority in held:
        if authority.role in roles or authority.role == "admin":
            return authority
    raise NotAllowed(f"{demand} the role {' or '.join(roles)}; yours is {held[0].role}.")


def _demand_other_eyes(claim: Claim, *names: str | None) -> None:
    for name in names:
        if name is not None and claim.was_filed_by(name):
            raise NotAllowed(f"{name} filed this claim, and nobody approves what they filed.")
        if claim.four_eyes and name in claim.approved_by:
            raise NotAllowed(f"{name} has approved this claim before; another pair of eyes must pass this stage.")
