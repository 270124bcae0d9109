"""What becomes of incidents by themselves: they open, grow, fall quiet and close."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.audit import chain as audit
from domain.changes import Decision, Step
from domain.incidents.incident import CLOSED, OPEN, QUIET, Incident, Link
from domain.incidents.windows import Group, Window
from domain.policy import IncidentPolicy

ACTOR = "rule:incidents"
# People are told again when an incident has become so many times as large as they know it.
_GROWTH = 2
# A spot that goes on showing its error says nothing new so soon.
_NEWS = timedelta(minutes=1)
# Who looks so much too late was away or is behind, and may not have seen everything yet.
_LATE = timedelta(minutes=1)


def open_incident(
    group: Group,
    window: Window,
    threshold: int,
    claim_ids: Sequence[str],
    policy: IncidentPolicy,
    now: datetime,
    new_id: str,
) -> Decision:
    """A new incident over these claims, the news of it, and the step that looks whether it has fallen quiet."""
    incident = Incident(
        id=new_id,
        code=group.code,
        kind=group.kind,
        place=group.place,
        threshold=threshold,
        opened_at=now,
        first_seen_at=window.first,
        last_seen_at=window.last,
        touched_at=now,
        claim_count=len(claim_ids),
        peak=window.spots,
        told_peak=window.spots,
    )
    decision = Decision(incidents=[incident], links=[Link(claim_id, new_id) for claim_id in claim_ids])
    record(decision, incident, now, "incident.opened", opening(incident) | counted(incident, claim_ids))
    decision.steps += [tell(incident, "opened"), look_again(incident, policy, now)]
    return decision


def count(incident: Incident, window: Window, claim_ids: Sequence[str], now: datetime) -> Decision:
    """Takes more claims in, and what the window says by now. Nothing where that is no news.

    Twice the peak that people know is told to them. What a window shows that is no longer out of the usual belongs
    to the incident too, but does not keep it from falling quiet.
    """
    decision = Decision()
    goes_on = window.spots >= incident.threshold
    known = window.spots <= incident.peak and window.last - incident.last_seen_at < _NEWS
    if not claim_ids and (not goes_on or (known and incident.status == OPEN)):
        return decision
    incident.claim_count += len(claim_ids)
    incident.peak = max(incident.peak, window.spots)
    incident.last_seen_at = max(incident.last_seen_at, window.last)
    if goes_on:
        incident.touched_at, incident.status = now, OPEN
    decision.incidents.append(incident)
    decision.links += [Link(claim_id, incident.id) for claim_id in claim_ids]
    kind = "incident.counted" if goes_on else "incident.linked"
    record(decision, incident, now, kind, counted(incident, claim_ids))
    if incident.peak >= _GROWTH * incident.told_peak:
        incident.told_peak = incident.peak
        record(decision, incident, now, "incident.grew", {"told_peak": incident.peak})
        decision.steps.append(tell(incident, "grew"))
    return decision


def settle(incident: Incident, policy: IncidentPolicy, now: datetime, due_at: datetime) -> Decision:
    """Looks at an incident when its time has come: it falls quiet, closes, or is looked at again later.

    Nobody who looks long after `due_at` takes it for quiet: what was seen meanwhile is still on its way.
    """
    decision = Decision()
    quiet, idle = timedelta(minutes=policy.quiet_minutes), now - incident.touched_at
    if incident.status == CLOSED:
        return decision
    if now - incident.opened_at >= timedelta(hours=policy.max_age_hours):
        return close(incident, "age", ACTOR, now)
    if idle >= quiet and now - due_at > min(_LATE, quiet / 2):
        decision.steps.append(Step("incident", due_at=now + quiet, subject=incident.id))
        return decision
    if idle >= 2 * quiet:
        return close(incident, "quiet", ACTOR, now)
    if idle >= quiet and incident.status == OPEN:
        incident.status = QUIET
        decision.incidents.append(incident)
        record(decision, incident, now, "incident.quiet", {})
    decision.steps.append(look_again(incident, policy, now))
    return decision


def tells_of(closed: Incident, window: Window, policy: IncidentPolicy, now: datetime) -> bool:
    """Whether this window is no news after a closed incident of its group: it is past, or somebody who knows has
    just closed it."""
    by_people = closed.closed_why not in ("quiet", "age")
    rest = timedelta(minutes=policy.quiet_minutes)
    just_now = closed.closed_at is not None and now - closed.closed_at < rest
    return window.last <= closed.last_seen_at or (by_people and just_now)


def close(incident: Incident, why: str, actor: str, now: datetime, **said: Any) -> Decision:
    """Closes it, and tells who knew of it, unless another incident takes its place."""
    incident.status, incident.closed_at, incident.closed_why = CLOSED, now, why
    decision = Decision(incidents=[incident])
    record(decision, incident, now, "incident.closed", {"closed_why": why, **said}, actor)
    if why != "merged":
        decision.steps.append(tell(incident, "closed"))
    return decision


def look_again(incident: Incident, policy: IncidentPolicy, now: datetime) -> Step:
    """When it can next fall quiet, close, or be too old."""
    quiet = timedelta(minutes=policy.quiet_minutes)
    due = incident.touched_at + (2 * quiet if incident.status == QUIET else quiet)
    too_old = incident.opened_at + timedelta(hours=policy.max_age_hours)
    return Step("incident", due_at=max(min(due, too_old), now), subject=incident.id)


def tell(incident: Incident, what: str) -> Step:
    """The step that announces it."""
    return Step("announce", [incident.id], subject=f"incident.{what}")


def opening(incident: Incident) -> dict[str, Any]:
    """What its first audit event says of it besides its claims."""
    return {
        "code": incident.code,
        "kind": incident.kind,
        "place": incident.place,
        "threshold": incident.threshold,
        "told_peak": incident.told_peak,
        "first_seen_at": audit.instant(incident.first_seen_at),
        **({"split_from": incident.split_from} if incident.split_from else {}),
    }


def counted(incident: Incident, claim_ids: Sequence[str]) -> dict[str, Any]:
    """What an audit event says of claims that were taken in."""
    return {
        "claims": list(claim_ids),
        "claim_count": incident.claim_count,
        "peak": incident.peak,
        "last_seen_at": audit.instant(incident.last_seen_at),
    }


def record(
    decision: Decision,
    incident: Incident,
    now: datetime,
    kind: str,
    data: dict[str, Any],
    actor: str = ACTOR,
) -> None:
    """Adds the incident's next audit event."""
    decision.events.append(audit.append(incident, now, actor, kind, data))
