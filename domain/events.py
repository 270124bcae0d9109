"""Reads and replays audit events of every kind."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.administration import operating_acts, people_acts
from domain.administration.things import Thing
from domain.audit.chain import subject_kind
from domain.audit.event import Event
from domain.claims import clock_events, correction_events, decision_events
from domain.claims import events as claim_events
from domain.claims.claim import Claim
from domain.evidence import events as evidence_events
from domain.incidents import correction_events as incident_corrections
from domain.incidents import events as incident_events
from domain.incidents.incident import Incident

Subject = Claim | Incident | Thing

_EVENTS: Final[tuple[type[Event[Any]], ...]] = (
    *claim_events.EVENTS,
    *decision_events.EVENTS,
    *correction_events.EVENTS,
    *clock_events.EVENTS,
    *evidence_events.EVENTS,
    *incident_events.EVENTS,
    *incident_corrections.EVENTS,
    *people_acts.EVENTS,
    *operating_acts.EVENTS,
)
KINDS: Final = {event.KIND: event for event in _EVENTS}


def read(kind: str, body: Mapping[str, Any]) -> Event[Any]:
    """Reads an event from its body.

    Raises `LookupError` for an unknown kind, and what `Event.read` raises.
    """
    return KINDS[kind].read(body)


def describe(kind: str, body: str, *, with_remark: bool) -> str:
    """Says what an event on record was, with what people wrote or without.

    One that this version cannot read is described by its kind.
    """
    try:
        event = read(kind, json.loads(body))
        return event.story if with_remark else event.sentence
    except (LookupError, TypeError, ValueError, AttributeError):
        return kind.partition(".")[2].replace("_", " ")


def name_of(kind: str) -> str:
    """Names what events of a kind are about, for people; by the kind's first word where it is unknown."""
    return getattr(KINDS.get(kind), "THING", subject_kind(kind))


def replay(subject: Subject | None, subject_id: str, event: Event[Any], at: datetime, actor: str) -> Subject:
    """Returns a subject after its next event; None stands for one without events.

    Raises `Conflict` for an event that the subject's state does not allow, and `LookupError` for a chain that
    begins with another event than its opening.
    """
    if subject is None:
        begin = getattr(event, "begin", None)
        if begin is None:
            raise LookupError(f"no chain begins with {event.KIND}")
        subject = begin(subject_id, at)
    else:
        event.apply(subject, at, actor)
    subject.version += 1
    return subject


def what_follows() -> str:
    """Returns the table of which steps may follow which events, in Markdown."""
    rows = [
        f"| `{kind}` | {', '.join(f'`{step.KIND}`' for step in event.LEADS_TO)} |"
        for kind, event in KINDS.items()
        if event.LEADS_TO
    ]
    return "\n".join(["| event | steps |", "|---|---|", *rows])
