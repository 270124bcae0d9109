"""Moves incidents through their life: they open, grow, fall quiet and close."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.changes import Changes
from domain.incidents.events import (
    IncidentClosed,
    IncidentCounted,
    IncidentGrew,
    IncidentLinked,
    IncidentOpened,
    IncidentQuiet,
)
from domain.incidents.incident import CLOSED, OPEN, QUIET, Incident, Link
from domain.incidents.windows import Group, Window
from domain.policy.policy import IncidentPolicy
from domain.steps import INCIDENT, Announce, SettleIncident

ACTOR: Final = "rule:incidents"
# People are notified again when an incident is so many times as large as in its last notification.
_GROWTH: Final = 2
# A spot that goes on showing its error is nothing new so soon.
_NEWS = timedelta(minutes=1)
# A check that comes so much too late may run before everything that was seen meanwhile is counted.
_LATE = timedelta(minutes=1)


def open_incident(
    group: Group,
    window: Window,
    threshold: int,
    claim_ids: Sequence[str],
    policy: IncidentPolicy,
    now: datetime,
    new_id: str,
) -> Changes:
    """Opens an incident over these claims, and notifies of it.

    It also schedules when to check whether it has fallen quiet.
    """
    opened = IncidentOpened(
        code=group.code,
        kind=group.kind,
        place=group.place,
        threshold=threshold,
        told_peak=window.spots,
        first_seen_at=window.first,
        claims=list(claim_ids),
        claim_count=len(claim_ids),
        peak=window.spots,
        last_seen_at=window.last,
    )
    changes = Changes(*(Link(claim_id, new_id) for claim_id in claim_ids))
    begin(changes, new_id, opened, policy, now)
    changes.put(notify(new_id, "opened"))
    return changes


def begin(
    changes: Changes,
    new_id: str,
    opened: IncidentOpened,
    policy: IncidentPolicy,
    now: datetime,
    actor: str = ACTOR,
) -> None:
    """Puts an incident with its first event, and schedules its next check."""
    incident = opened.begin(new_id, now)
    changes.append(incident, opened, now, actor)
    changes.put(look_again(incident, policy, now))


def count(incident: Incident, window: Window, claim_ids: Sequence[str], now: datetime) -> Changes:
    """Counts more claims, and the window's size, for an incident.

    Changes nothing where nothing is new. People are notified of twice the peak that they know. A window below the
    threshold again belongs to the incident too, but does not keep it from falling quiet.
    """
    changes = Changes()
    goes_on = window.spots >= incident.threshold
    known = window.spots <= incident.peak and window.last - incident.last_seen_at < _NEWS
    if not claim_ids and (not goes_on or (known and incident.status == OPEN)):
        return changes
    counted = (IncidentCounted if goes_on else IncidentLinked)(
        claims=list(claim_ids),
        claim_count=incident.claim_count + len(claim_ids),
        peak=max(incident.peak, window.spots),
        last_seen_at=max(incident.last_seen_at, window.last),
    )
    changes.put(*(Link(claim_id, incident.id) for claim_id in claim_ids))
    changes.record(incident, counted, now, ACTOR)
    if incident.peak >= _GROWTH * incident.told_peak:
        changes.record(incident, IncidentGrew(told_peak=incident.peak), now, ACTOR)
        changes.put(notify(incident.id, "grew"))
    return changes


def settle(incident: Incident, policy: IncidentPolicy, now: datetime, due_at: datetime) -> Changes:
    """Settles an incident that is due: it falls quiet, closes, or goes on.

    A check long after `due_at` takes no incident for quiet: what was seen meanwhile may still be on its way.
    """
    changes = Changes()
    quiet, idle = timedelta(minutes=policy.quiet_minutes), now - incident.touched_at
    if incident.status == CLOSED:
        return changes
    if now - incident.opened_at >= timedelta(hours=policy.max_age_hours):
        return close(incident, IncidentClosed(closed_why="age"), ACTOR, now)
    if idle >= quiet and now - due_at > min(_LATE, quiet / 2):
        return Changes(SettleIncident([incident.id], due_at=now + quiet))
    if idle >= 2 * quiet:
        return close(incident, IncidentClosed(closed_why="quiet"), ACTOR, now)
    if idle >= quiet and incident.status == OPEN:
        changes.record(incident, IncidentQuiet(), now, ACTOR)
    changes.put(look_again(incident, policy, now))
    return changes


def tells_of(closed: Incident, window: Window, policy: IncidentPolicy, now: datetime) -> bool:
    """Checks whether a closed incident of the series explains this window.

    Then the window is past, or somebody who knows has just closed the incident.
    """
    by_people = closed.closed_why not in ("quiet", "age")
    rest = timedelta(minutes=policy.quiet_minutes)
    just_now = closed.closed_at is not None and now - closed.closed_at < rest
    return window.last <= closed.last_seen_at or (by_people and just_now)


def close(incident: Incident, event: IncidentClosed, actor: str, now: datetime) -> Changes:
    """Closes an incident, and notifies of that unless another takes its place."""
    changes = Changes()
    changes.record(incident, event, now, actor)
    if event.closed_why != "merged":
        changes.put(notify(incident.id, "closed"))
    return changes


def look_again(incident: Incident, policy: IncidentPolicy, now: datetime) -> SettleIncident:
    """Schedules the next check: when it may fall quiet, close, or be too old."""
    quiet = timedelta(minutes=policy.quiet_minutes)
    due = incident.touched_at + (2 * quiet if incident.status == QUIET else quiet)
    too_old = incident.opened_at + timedelta(hours=policy.max_age_hours)
    return SettleIncident([incident.id], due_at=max(min(due, too_old), now))


def notify(incident_id: str, what: str) -> Announce:
    """Schedules the notices of what happened to an incident."""
    return Announce([incident_id], subject_kind=INCIDENT, event=f"incident.{what}")
