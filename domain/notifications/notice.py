"""News: what happened to a claim or an incident, in the form in which it is addressed and told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.changes import Step
from domain.claims.claim import Claim
from domain.claims.lifecycle import CLOSED, UNDER_REVIEW
from domain.error_codes import CLAIM_TYPES
from domain.incidents.incident import Incident
from domain.policy import Policy

_LINES = 10
_ITEM = ("about", "spot", "zone", "severity", "claim_type", "reports", "resolve_by")

# What the clocks set off (`domain.claims.sla.sweep`), in words.
ALERTS = {
    "sla_warned.acknowledge": "must be acknowledged soon",
    "sla_warned.resolve": "must be resolved soon",
    "sla_breached.acknowledge": "not acknowledged in time",
    "sla_breached.resolve": "not resolved in time",
}

# The end of what there was to tell.
ENDINGS = frozenset({*(f"claim.{status}" for status in CLOSED), "incident.closed"})


@dataclass(frozen=True, slots=True)
class News:
    """One event of one claim or incident, whose id is `about`.

    `words` say what happened, and `line` who or what it happened to, for the body of a message. `spots` counts
    the spots concerned; of a single one `spot` is the id. `reports` counts those of a claim, or the claims of an
    incident; `resolve_by` is the due date of a claim as an RFC 3339 text, if it has one. `time` tells news of the
    same event apart that comes more than once, as that of an incident which grows.
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
    def occasion(self) -> str:
        """The event, and which time it was where that matters."""
        return f"{self.event} {self.time}" if self.time else self.event


@dataclass(slots=True)
class Summary:
    """What a message says of any amount of news of one error: how often each of the words, in which zones, and the
    first few lines, each with what it tells as fields in `items`. `lines_left` were not kept."""

    code: str = ""
    spots: int = 0
    spot: str | None = None
    zones: list[str] = field(default_factory=list)
    words: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    lines_left: int = 0
    items: list[dict[str, Any]] = field(default_factory=list)

    def add(self, news: Iterable[News], known: Iterable[str] = ()) -> None:
        """Takes in more news; the spots of what is `known` by its id are counted already."""
        counted = set(known)
        for item in news:
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
        """One line: which error, on what, where, and what happened."""
        where = f" in {self.zones[0]}" if len(self.zones) == 1 else f" in {len(self.zones)} zones"
        subject = f"spot {self.spot}" if self.spots == 1 and self.spot else f"{self.spots} spots"
        [most, *others] = sorted(self.words, key=lambda words: -self.words[words])
        happened = "; ".join(f"{self.words[words]} {words}" for words in (most, *others)) if others else most
        return f"{self.code} on {subject}{where if self.zones else ''}: {happened}"

    @property
    def body(self) -> str:
        """The lines, and how many more there were."""
        left = [f"and {self.lines_left} more"] if self.lines_left else []
        return "\n".join([*self.lines, *left])


def news_of(claims: Iterable[Claim]) -> list[Step]:
    """Steps that tell where claims stand now: one for all that stand alike."""
    alike: dict[str, list[str]] = {}
    for claim in claims:
        alike.setdefault(claim.standing, []).append(claim.id)
    return [Step("announce", ids, subject=standing) for standing, ids in alike.items()]


def of_claims(claims: Sequence[Claim], alert: str | None = None) -> list[News]:
    """Where the claims stand, as news.

    With an `alert` of their clocks, such as `sla_breached.resolve`, that is the news instead.
    """
    return [
        News(
            about=claim.id,
            event=event_of(claim, alert),
            words=ALERTS[alert] if alert else _words(claim),
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


INCIDENT_OPENED, INCIDENT_GREW = "incident.opened", "incident.grew"

_OF_INCIDENTS = {
    INCIDENT_OPENED: "an incident",
    INCIDENT_GREW: "the incident is spreading",
    "incident.closed": "the incident is over",
}


def of_incidents(incidents: Iterable[Incident], event: str, policy: Policy) -> list[News]:
    """What happened to the incidents, as news of their spots."""
    return [
        News(
            about=incident.id,
            event=event,
            words=_OF_INCIDENTS[event] + (f" of {incident.place}" if incident.kind != "zone" else ""),
            code=incident.code,
            severity=policy.codes[incident.code].severity,
            claim_type=CLAIM_TYPES[incident.code],
            line=(
                f"{incident.place}: {incident.claim_count} claims"
                f" since {incident.first_seen_at:%Y-%m-%d %H:%M} UTC, at most {incident.peak} spots at once,"
                f" incident {incident.id}"
            ),
            zone=incident.place if incident.kind == "zone" else None,
            spots=incident.peak,
            reports=incident.claim_count,
            time=incident.told_peak if event == INCIDENT_GREW else 0,
        )
        for incident in incidents
    ]


def event_of(claim: Claim, alert: str | None = None) -> str:
    """What the policy calls the news of a claim that stands like this."""
    if alert:
        return f"claim.{alert.partition('.')[0]}"
    return "claim.escalated" if claim.escalated_to else f"claim.{claim.status}"


def _words(claim: Claim) -> str:
    """What happened; for a claim under review also who has it now."""
    if claim.escalated_to:
        return f"late at the {claim.stages[claim.stage - 1]}, now for the {claim.escalated_to} too"
    waiting = f" for the {claim.stages[claim.stage - 1]}" if claim.status == UNDER_REVIEW else ""
    return claim.status.replace("_", " ") + waiting


def _line(claim: Claim) -> str:
    where = f" in {claim.zone}" if claim.zone else ""
    times = "once" if claim.fault_count == 1 else f"{claim.fault_count} times"
    due = f", resolve by {claim.resolve_due_at:%Y-%m-%d %H:%M} UTC" if claim.resolve_due_at else ""
    return f"{claim.spot_id}{where} ({claim.severity}): reported {times}{due}, claim {claim.id}"
