"""Carries out people's decisions on claims, and checks whether they may decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.changes import Changes
from domain.claims import decision_events, sla
from domain.claims.announcing import announce
from domain.claims.approval import deciders, overdue_steps
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange
from domain.claims.lifecycle import CLOSED, SUBMITTED, UNDER_REVIEW, after
from domain.errors import Conflict, InputRefused, NotAllowed, NoteRefused, SpotclaimError
from domain.policy.policy import OTHER_REASON, REJECTIONS
from domain.policy.roles import ADMIN, AUTHORITIES, DECIDE, SUPERVISORS
from domain.steps import Step, Verify
from domain.text import storable, unknown

APPROVE, REJECT, RESOLVE = "approve", "reject", "resolve"
ACKNOWLEDGE, NOTE, WITHDRAW, REOPEN = "acknowledge", "note", "withdraw", "reopen"
DECISIONS: Final = (ACKNOWLEDGE, APPROVE, REJECT, RESOLVE)
ACTIONS: Final = (*DECISIONS, NOTE, WITHDRAW, REOPEN)

# The actions that demand a note: what takes a reason, and a note itself. Of rejections see `_reason`.
_WITH_A_NOTE: Final = (WITHDRAW, REOPEN, NOTE)

# The roles that may do what belongs to no stage. The person who filed a claim may withdraw it too.
_ROLES: Final = {
    ACKNOWLEDGE: AUTHORITIES,
    NOTE: AUTHORITIES,
    RESOLVE: AUTHORITIES,
    WITHDRAW: SUPERVISORS,
    REOPEN: SUPERVISORS,
}
_EVENTS: Final[dict[str, type[decision_events.Decided]]] = {
    ACKNOWLEDGE: decision_events.ClaimAcknowledged,
    NOTE: decision_events.ClaimNoted,
    APPROVE: decision_events.ClaimApproved,
    REJECT: decision_events.ClaimRejected,
    RESOLVE: decision_events.ClaimResolved,
    WITHDRAW: decision_events.ClaimWithdrawn,
    REOPEN: decision_events.ClaimReopened,
}


@dataclass(frozen=True, slots=True)
class Delegation:
    """Somebody else's authority that a person holds until a moment."""

    role: str
    of: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, in which role, and with which delegations."""

    name: str
    role: str
    delegations: tuple[Delegation, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A claim to decide, with the version and evidence digest the person saw.

    Notifications since then do not matter; anything else that happened to the claim is a conflict.
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
class Authority:
    """The role of a decision, and the person whose authority it is if it was delegated."""

    role: str
    of: str | None = None


def decide(
    claim: Claim,
    action: str,
    person: Person,
    *,
    note: str = "",
    reason: str = "",
    catalogue: Mapping[str, str] = REJECTIONS,
    version: int | None = None,
    changed_at: int | None = None,
    evidence_digest: str | None = None,
    lacking: Sequence[str] = (),
    now: datetime,
    policies: sla.Policies,
) -> Changes:
    """Carries out one person's decision on one claim.

    `changed_at` is the number of its last event that was more than a notification of it; its version unless given.
    `policies` finds the one that bound the claim's clocks, and `lacking` names the kinds of evidence that the
    policy demands and that are not on file. `reason` is the code of a rejection in the `catalogue` of the policy
    that binds the claim.

    Raises `InputRefused` for a reason that is missing, unknown or out of place; `NoteRefused` when the action
    demands a note and there is none, or it cannot be stored; `Conflict` when the claim or its evidence has changed
    since the person saw it, when its state does not allow the action, or when it is to be approved without its
    evidence; `NotAllowed` when the person may not decide it: the stage belongs to another role, they filed the
    claim or reported it again, or they approved it before where four eyes are demanded.
    """
    if action not in ACTIONS:
        raise Conflict(f"Unknown action {action}; there are: {', '.join(ACTIONS)}.")
    demand_note(action, note, needed=action in _WITH_A_NOTE)
    named = _reason(action, reason, note, catalogue)
    demand_version(claim, version, claim.version if changed_at is None else changed_at)
    demand_seen(claim, evidence_digest)
    _demand_move(claim, action)
    if action == APPROVE and lacking:
        raise Conflict(f"The policy demands evidence that is not on file: {', '.join(lacking)}.")
    authority = _demand_authority(claim, action, person, now)
    data: dict[str, Any] = {"action": action, "role": authority.role, "note": note} | named
    if authority.of is not None:
        data["on_behalf_of"] = authority.of
    if claim.status == UNDER_REVIEW:
        data |= {"stage": claim.stage, "of_stages": len(claim.stages)}
    if action == APPROVE:
        data["evidence_digest"] = claim.evidence_digest
    if clocks := _clocks(claim, action, policies, now):
        data["clocks"] = ClockChange(**clocks)
    stages_are_left = action == APPROVE and claim.stage < len(claim.stages)
    event = (decision_events.StagePassed if stages_are_left else _EVENTS[action])(**data)
    changes = Changes()
    changes.record(claim, event, now, person.name)
    changes.put(*_steps_after(claim, action, policies, now))
    return changes


def _clocks(claim: Claim, action: str, policies: sla.Policies, now: datetime) -> dict[str, Any]:
    """Returns what the decision does to the clocks: acting acknowledges, and reopening resumes them."""
    clocks = {} if action == NOTE else sla.acknowledge(claim, now)
    if action == REOPEN:
        policy = policies(claim.policy_version)
        clocks |= sla.follow(claim, SUBMITTED, policy, now, closed_at=claim.closed_at)
    return clocks


def demand_seen(claim: Claim, seen: str | None) -> None:
    """Raises `Conflict` when the claim's evidence is not what the person saw.

    `seen` is the digest that came with the list of evidence, empty for an empty list; None demands nothing.
    """
    if seen is not None and seen != claim.evidence_digest:
        raise Conflict("The evidence was changed since you looked; look again, then decide.")


def demand_version(claim: Claim, version: int | None, changed_at: int) -> None:
    """Raises `Conflict` when something happened to the claim since the person saw it."""
    if version is not None and not changed_at <= version <= claim.version:
        raise Conflict(f"The claim is at version {claim.version} by now; you saw version {version}.")


def demand_note(action: str, note: str, *, needed: bool = True) -> None:
    """Raises `NoteRefused` for a note that is missing though it is needed, or that cannot be stored."""
    if needed and not note.strip():
        raise NoteRefused(f"The note is missing; to {action} a claim, say why in it.")
    if not storable(note):
        raise NoteRefused("The note holds U+0000 or half of a surrogate pair; no record can keep that.")


def _reason(action: str, reason: str, note: str, catalogue: Mapping[str, str]) -> dict[str, str]:
    """Returns the reason of a rejection as fields of its event. A note alone is the reason `OTHER`."""
    if action != REJECT:
        if reason:
            raise InputRefused("REASON_OUT_OF_PLACE", f"Only a rejection names a reason; to {action} takes none.")
        return {}
    code = reason or (OTHER_REASON if note.strip() else "")
    if not code or (code == OTHER_REASON and code in catalogue and not note.strip()):
        raise NoteRefused(
            "The note is missing; to reject a claim, name a reason of the catalogue, or say why in it."
        )
    if code not in catalogue:
        known = unknown("reason", reason, catalogue) if reason else f"Name a reason: {', '.join(catalogue)}."
        raise InputRefused("UNKNOWN_REASON" if reason else "REASON_MISSING", known)
    return {"reason_code": code, "because": catalogue[code]}


def _demand_move(claim: Claim, action: str) -> None:
    if action != NOTE and (action != ACKNOWLEDGE or claim.status in CLOSED):
        after(claim.status, action)


def _steps_after(claim: Claim, action: str, policies: sla.Policies, now: datetime) -> list[Step]:
    if action in (NOTE, ACKNOWLEDGE):
        return []
    if action == REOPEN:
        return [Verify([claim.id]), *sla.schedule([claim], policies, now)]
    return [*announce([claim]), *overdue_steps([claim], now)]


def _demand_authority(claim: Claim, action: str, person: Person, now: datetime) -> Authority:
    held = _held(person, now)
    if action not in (APPROVE, REJECT):
        if action == WITHDRAW and person.name == claim.filed_by:
            return held[0]
        return _first_of(held, _ROLES[action], f"To {action} a claim takes")
    authority = _first_of(held, deciders(claim), "This stage belongs to")
    if action == APPROVE:
        _demand_other_eyes(claim, person.name, authority.of)
    return authority


def authority_of(person: Person, roles: Sequence[str], demand: str, now: datetime) -> Authority:
    """Finds the authority of one of these roles, a person's own first. Raises `NotAllowed`."""
    return _first_of(_held(person, now), roles, demand)


def _held(person: Person, now: datetime) -> list[Authority]:
    DECIDE.demand(person.role)
    return [Authority(person.role), *(Authority(d.role, d.of) for d in person.delegations if now < d.until)]


def _first_of(held: list[Authority], roles: Sequence[str], demand: str) -> Authority:
    for authority in held:
        if authority.role in roles or authority.role == ADMIN:
            return authority
    raise NotAllowed(f"{demand} the role {' or '.join(roles)}; yours is {held[0].role}.")


def _demand_other_eyes(claim: Claim, *names: str | None) -> None:
    for name in names:
        if name is not None and claim.was_filed_by(name):
            raise NotAllowed(f"{name} filed this claim, and nobody approves what they filed.")
        if claim.four_eyes and name in claim.approved_by:
            raise NotAllowed(f"{name} has approved this claim before; another pair of eyes must pass this stage.")
