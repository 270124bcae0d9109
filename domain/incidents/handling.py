"""What people do with incidents: acknowledge, close, merge, split, say what the cause was."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from domain.audit import chain as audit
from domain.changes import Decision
from domain.errors import Conflict, NotAllowed, NoteRefused
from domain.incidents.incident import CLOSED, Incident, Link
from domain.incidents.lifecycle import close, counted, look_again, opening, record
from domain.policy import AUTHORITIES, IncidentPolicy

# What an incident that was taken out of another has from it.
_SHARED = ("code", "kind", "place", "threshold", "first_seen_at", "last_seen_at")


def demand_may_handle(role: str) -> None:
    """Raises `NotAllowed` for those who only look."""
    if role not in AUTHORITIES:
        raise NotAllowed(f"The role {role} handles no incidents; {', '.join(AUTHORITIES)} do.")


def acknowledge(incident: Incident, who: str, note: str, now: datetime) -> Decision:
    """Somebody sees to it, so it is not told again. Raises `Conflict` where it is closed."""
    _demand_open(incident)
    decision = Decision(incidents=[incident])
    record(decision, incident, now, "incident.acknowledged", _seen_to(incident, now) | {"note": note}, who)
    return decision


def decided(incident: Incident, who: str, note: str, now: datetime) -> Decision:
    """Whoever decides its claims sees to it. Nothing where somebody did before, or it is closed."""
    if incident.status == CLOSED or incident.acknowledged_at is not None:
        return Decision()
    return acknowledge(incident, who, note, now)


def close_by_hand(incident: Incident, who: str, note: str, now: datetime) -> Decision:
    """Closes it before it is quiet. Raises `Conflict`, and `NoteRefused` where no reason is given."""
    _demand_open(incident)
    _demand_said(note, "why it is closed")
    return close(incident, "person", who, now, note=note)


def merge(
    incident: Incident, into: Incident, claim_ids: Sequence[str], who: str, note: str, now: datetime
) -> Decision:
    """Its claims are the other's from now on, and it is closed without being told.

    `claim_ids` are those that belong to it. Raises `Conflict` where one of the two is closed, or both are one.
    """
    _demand_open(incident)
    _demand_open(into)
    if incident.id == into.id:
        raise Conflict("An incident is merged into another one.")
    into.claim_count += len(claim_ids)
    into.last_seen_at = max(into.last_seen_at, incident.last_seen_at)
    decision = Decision(incidents=[into], links=[Link(claim_id, into.id) for claim_id in claim_ids])
    merged = counted(into, claim_ids) | {"merged": incident.id} | _seen_to(into, now)
    record(decision, into, now, "incident.merged", merged, who)
    incident.merged_into, incident.claim_count = into.id, 0
    decision.add(close(incident, "merged", who, now, merged_into=into.id, claim_count=0, note=note))
    return decision


def split(
    incident: Incident,
    own: Sequence[str],
    claim_ids: Sequence[str],
    who: str,
    note: str,
    policy: IncidentPolicy,
    now: datetime,
    new_id: str,
) -> Decision:
    """A new incident of some of its claims, which takes in nothing more by itself. `own` are all its claims.

    Raises `Conflict` for claims that are not its own, and where one of the two would be left without any.
    """
    _demand_open(incident)
    _demand_said(note, "why it is split")
    wanted = list(dict.fromkeys(claim_ids))
    if strange := [claim_id for claim_id in wanted if claim_id not in set(own)]:
        raise Conflict(f"Claim {strange[0]} does not belong to the incident.")
    if not 0 < len(wanted) < len(own):
        raise Conflict(f"Of {len(own)} claims at least one is taken out and at least one stays.")
    other = Incident(
        id=new_id,
        opened_at=now,
        touched_at=now,
        claim_count=len(wanted),
        peak=len(wanted),
        told_peak=len(wanted),
        split_from=incident.id,
        **{field.name: getattr(incident, field.name) for field in fields(Incident) if field.name in _SHARED},
    )
    incident.claim_count -= len(wanted)
    decision = Decision(incidents=[incident, other], links=[Link(claim_id, new_id) for claim_id in wanted])
    parted = {"claims": wanted, "claim_count": incident.claim_count, "into": new_id, "note": note}
    record(decision, incident, now, "incident.split", parted | _seen_to(incident, now), who)
    begun = opening(other) | counted(other, wanted) | _seen_to(other, now)
    record(decision, other, now, "incident.opened", begun, who)
    decision.steps.append(look_again(other, policy, now))
    return decision


def state_cause(incident: Incident, who: str, cause: str, now: datetime) -> Decision:
    """What was behind it, as far as somebody knows; a closed one too. Raises `NoteRefused` for an empty word."""
    _demand_said(cause, "what the cause was")
    incident.root_cause = cause
    decision = Decision(incidents=[incident])
    seen = {} if incident.status == CLOSED else _seen_to(incident, now)
    record(decision, incident, now, "incident.root_cause", {"root_cause": cause} | seen, who)
    return decision


def _seen_to(incident: Incident, now: datetime) -> dict[str, Any]:
    """What somebody does with an incident acknowledges it, once. Returns what changed, for the event's body."""
    if incident.acknowledged_at is not None:
        return {}
    incident.acknowledged_at = now
    return {"acknowledged_at": audit.instant(now)}


def _demand_open(incident: Incident) -> None:
    if incident.status == CLOSED:
        raise Conflict(f"Incident {incident.id} is closed.")


def _demand_said(note: str, what: str) -> None:
    if not note.strip():
        raise NoteRefused(f"Say {what}.")
