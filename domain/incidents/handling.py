"""Handles incidents for people: acknowledges, closes, merges and splits them, states causes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.changes import Changes
from domain.errors import Conflict, NoteRefused
from domain.incidents.correction_events import ClaimsLeft
from domain.incidents.events import (
    IncidentAcknowledged,
    IncidentClosed,
    IncidentMerged,
    IncidentOpened,
    IncidentSplit,
    RootCauseStated,
)
from domain.incidents.incident import CLOSED, Incident, Link, Unlink
from domain.incidents.lifecycle import begin, close
from domain.policy.policy import IncidentPolicy
from domain.text import count


def acknowledge(incident: Incident, who: str, note: str, now: datetime) -> Changes:
    """Acknowledges an incident, so that nobody is reminded of it.

    Raises `Conflict` where it is closed.
    """
    _demand_open(incident)
    changes = Changes()
    changes.record(incident, IncidentAcknowledged(note=note, **_attended(incident, now)), now, who)
    return changes


def decided(incident: Incident, who: str, note: str, now: datetime) -> Changes:
    """Acknowledges an incident whose claims somebody decided.

    Changes nothing where it is acknowledged already, or closed.
    """
    if incident.status == CLOSED or incident.acknowledged_at is not None:
        return Changes()
    return acknowledge(incident, who, note, now)


def close_by_hand(incident: Incident, who: str, note: str, now: datetime) -> Changes:
    """Closes an incident before it is quiet.

    Raises `Conflict` where it is closed, and `NoteRefused` where no reason is given.
    """
    _demand_open(incident)
    _demand_said(note, "why it is closed")
    return close(incident, IncidentClosed(closed_why="person", note=note), who, now)


def merge(
    incident: Incident, into: Incident, claim_ids: Sequence[str], who: str, note: str, now: datetime
) -> Changes:
    """Merges an incident into another, which takes over its claims.

    It closes without a notice. `claim_ids` are those that belong to it. Raises `Conflict` where one of the two is
    closed, or both are one.
    """
    _demand_open(incident)
    _demand_open(into)
    if incident.id == into.id:
        raise Conflict("An incident is merged into another one.")
    merged = IncidentMerged(
        claims=list(claim_ids),
        claim_count=into.claim_count + len(claim_ids),
        peak=into.peak,
        last_seen_at=max(into.last_seen_at, incident.last_seen_at),
        merged=incident.id,
        **_attended(into, now),
    )
    changes = Changes(*(Link(claim_id, into.id) for claim_id in claim_ids))
    changes.record(into, merged, now, who)
    closed = IncidentClosed(closed_why="merged", merged_into=into.id, claim_count=0, note=note)
    changes.add(close(incident, closed, who, now))
    return changes


def split(
    incident: Incident,
    own: Sequence[str],
    claim_ids: Sequence[str],
    who: str,
    note: str,
    policy: IncidentPolicy,
    now: datetime,
    new_id: str,
) -> Changes:
    """Makes a new incident of some of an incident's claims.

    The new one gets no further claims by itself. `own` are all claims of the old one. Raises `Conflict` for claims
    that are not its own, and where one of the two would be left without any.
    """
    _demand_open(incident)
    _demand_said(note, "why it is split")
    wanted = list(dict.fromkeys(claim_ids))
    if strange := [claim_id for claim_id in wanted if claim_id not in set(own)]:
        raise Conflict(f"Claim {strange[0]} does not belong to the incident.")
    if not 0 < len(wanted) < len(own):
        raise Conflict(f"Of {count(len(own), 'claim')} at least one is taken out and at least one stays.")
    parted = IncidentSplit(
        claims=wanted,
        claim_count=incident.claim_count - len(wanted),
        into=new_id,
        note=note,
        **_attended(incident, now),
    )
    opened = IncidentOpened(
        code=incident.code,
        kind=incident.kind,
        place=incident.place,
        threshold=incident.threshold,
        told_peak=len(wanted),
        first_seen_at=incident.first_seen_at,
        split_from=incident.id,
        claims=wanted,
        claim_count=len(wanted),
        peak=len(wanted),
        last_seen_at=incident.last_seen_at,
        acknowledged_at=now,
    )
    changes = Changes(*(Link(claim_id, new_id) for claim_id in wanted))
    changes.record(incident, parted, now, who)
    begin(changes, new_id, opened, policy, now, who)
    return changes


def let_go(incident: Incident, claim_id: str, who: str, now: datetime) -> Changes:
    """Takes a claim out of an incident of another error, open or closed."""
    left = ClaimsLeft(claims=[claim_id], claim_count=incident.claim_count - 1)
    changes = Changes(Unlink(claim_id))
    changes.record(incident, left, now, who)
    return changes


def state_cause(incident: Incident, who: str, cause: str, now: datetime) -> Changes:
    """States an incident's root cause, even of a closed one.

    Raises `NoteRefused` for an empty text.
    """
    _demand_said(cause, "what the cause was")
    attended = {} if incident.status == CLOSED else _attended(incident, now)
    changes = Changes()
    changes.record(incident, RootCauseStated(root_cause=cause, **attended), now, who)
    return changes


def _attended(incident: Incident, now: datetime) -> dict[str, Any]:
    """Returns the field of an event that acknowledges the incident, as the first thing that people do does."""
    return {} if incident.acknowledged_at is not None else {"acknowledged_at": now}


def _demand_open(incident: Incident) -> None:
    if incident.status == CLOSED:
        raise Conflict(f"Incident {incident.id} is closed.")


def _demand_said(note: str, what: str) -> None:
    if not note.strip():
        raise NoteRefused(f"Say {what}.")
