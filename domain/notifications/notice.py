"""Makes notices: what happened to a claim or incident, to be routed and sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from domain.claims.claim import Claim
from domain.claims.clock_events import SlaBreached, SlaWarned
from domain.claims.decision_events import late_at, under_review_by
from domain.claims.lifecycle import CLOSED, UNDER_REVIEW
from domain.incidents.events import IncidentClosed, IncidentGrew, IncidentOpened
from domain.incidents.incident import Incident
from domain.policy.error_codes import CLAIM_TYPES
from domain.policy.policy import Policy
from domain.steps import CLAIM, INCIDENT
from domain.text import count

_LINES: Final = 10
_ITEM: Final = ("about", "spot", "zone", "severity", "claim_type", "reports", "resolve_by")

# The alerts of SLA clocks (`domain.claims.sla.sweep`), in the words of their events.
ALERTS: Final = {
    f"sla_{event.ALERT}.{clock}": event.headline(clock)
    for event in (SlaWarned, SlaBreached)
    for clock in ("acknowledge", "resolve")
}

# What happened to a claim that is no status of it, in the same way: also people's corrections.
NEWS: Final = ALERTS | {"corrected": "corrected", "rebound": "bound to the present policy"}

INCIDENT_OPENED, INCIDENT_GREW, INCIDENT_CLOSED = IncidentOpened.KIND, IncidentGrew.KIND, IncidentClosed.KIND
_OF_INCIDENTS: Final = {event.KIND: event.HEADLINE for event in (IncidentOpened, IncidentGrew, IncidentClosed)}

# The events that end what was notified.
ENDINGS: Final = frozenset({*(f"claim.{status}" for status in CLOSED), INCIDENT_CLOSED})


@dataclass(frozen=True, slots=True)
class Notice:
    """One event of one claim or incident, whose id is `about`.

    `words` say what happened, and `line` what it happened to, for the body of a message. `spots` counts the spots
    concerned; of a single one `spot` is the id. `reports` counts those of a claim, or the claims of an incident;
    `resolve_by` is the due date of a claim as an RFC 3339 text, if it has one. `time` distinguishes notices of the
    same event that come more than once, as those of an incident that grows.
    """

    about: str
    event: str
    words: str
    code: str
    severity: str
    claim_type: str
    line: str
    zone: str | None = None
    spot: str | None = None
    spots: int = 1
    reports: int = 1
    resolve_by: str | None = None
    time: int = 0

    @property
    def subject_kind(self) -> str:
        """Returns whether it is about a claim or an incident."""
        return INCIDENT if self.event in _OF_INCIDENTS else CLAIM

    @property
    def occasion(self) -> str:
        """Returns the event, and which time it was where that matters."""
        return f"{self.event} {self.time}" if self.time else self.event


@dataclass(slots=True)
class Summary:
    """Summarizes any number of notices of one error in a message.

    `words` counts how often each was said; the first few lines are kept, each with its fields in `items`, and
    `lines_left` were not.
    """

    code: str = ""
    spots: int = 0
    spot: str | None = None
    zones: list[str] = field(default_factory=list)
    words: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    lines_left: int = 0
    items: list[dict[str, Any]] = field(default_factory=list)

    def add(self, notices: Iterable[Notice], known: Iterable[str] = ()) -> None:
        """Adds notices; the spots of subjects already `known` by id are counted."""
        counted = set(known)
        for item in notices:
            self.code = item.code
            self.words[item.words] = self.words.get(item.words, 0) + 1
            if item.about not in counted:
                self.spots += item.spots
                self.spot = item.spot
                counted.add(item.about)
            if item.zone and item.zone not in self.zones:
                self.zones.append(item.zone)
            if len(self.lines) < _LINES:
                self.lines.append(item.line)
                self.items.append({name: getattr(item, name) for name in _ITEM})
            else:
                self.lines_left += 1

    @property
    def title(self) -> str:
        """Says in one line which error, on what, where, and what happened."""
        where = f" in {self.zones[0]}" if len(self.zones) == 1 else f" in {len(self.zones)} zones"
        subject = f"spot {self.spot}" if self.spots == 1 and self.spot else count(self.spots, "spot")
        [most, *others] = sorted(self.words, key=lambda words: -self.words[words])
        happened = "; ".join(f"{self.words[words]} {words}" for words in (most, *others)) if others else most
        return f"{self.code} on {subject}{where if self.zones else ''}: {happened}"

    @property
    def body(self) -> str:
        """Returns the lines, and how many more there were."""
        left = [f"and {self.lines_left} more"] if self.lines_left else []
        return "\n".join([*self.lines, *left])


def of_claims(claims: Sequence[Claim], news: str | None = None) -> list[Notice]:
    """Makes notices of where claims stand, or of one of the `NEWS`.

    An SLA alert is named with its clock, such as `sla_breached.resolve`.
    """
    return [
        Notice(
            about=claim.id,
            event=event_of(claim, news),
            words=NEWS[news] if news else _words(claim),
            code=claim.code,
            severity=claim.severity,
            claim_type=claim.claim_type,
            line=_line(claim),
            zone=claim.zone,
            spot=claim.spot_id,
            reports=claim.fault_count,
            resolve_by=f"{claim.resolve_due_at:%Y-%m-%dT%H:%M:%SZ}" if claim.resolve_due_at else None,
        )
        for claim in claims
    ]


def of_incidents(incidents: Iterable[Incident], event: str, policy: Policy) -> list[Notice]:
    """Makes notices of what happened to incidents."""
    return [
        Notice(
            about=incident.id,
            event=event,
            words=_OF_INCIDENTS[event] + (f" of {incident.place}" if incident.kind != "zone" else ""),
            code=incident.code,
            severity=policy.codes[incident.code].severity,
            claim_type=CLAIM_TYPES[incident.code],
            line=(
                f"{incident.place}: {count(incident.claim_count, 'claim')}"
                f" since {incident.first_seen_at:%Y-%m-%d %H:%M} UTC,"
                f" at most {count(incident.peak, 'spot')} at once, incident {incident.id}"
            ),
            zone=incident.place if incident.kind == "zone" else None,
            spots=incident.peak,
            reports=incident.claim_count,
            time=incident.told_peak if event == INCIDENT_GREW else 0,
        )
        for incident in incidents
    ]


def event_of(claim: Claim, news: str | None = None) -> str:
    """Returns the policy's name for the notice of a claim in this state, or of these news."""
    if news:
        return f"claim.{news.partition('.')[0]}"
    return "claim.escalated" if claim.escalated_to else f"claim.{claim.status}"


def _words(claim: Claim) -> str:
    """Says what happened; of a claim under review also who has it now."""
    if claim.escalated_to:
        return late_at(claim.stages[claim.stage - 1], claim.escalated_to)
    if claim.status == UNDER_REVIEW:
        return under_review_by(claim.stages[claim.stage - 1])
    return claim.status.replace("_", " ")


def _line(claim: Claim) -> str:
    where = f" in {claim.zone}" if claim.zone else ""
    times = "once" if claim.fault_count == 1 else count(claim.fault_count, "time")
    due = f", resolve by {claim.resolve_due_at:%Y-%m-%d %H:%M} UTC" if claim.resolve_due_at else ""
    return f"{claim.spot_id}{where} ({claim.severity}): reported {times}{due}, claim {claim.name}"
