"""Defines the events of an incident: one dataclass for each kind.

Each has its change of the incident, its body on record, and a sentence for people. Fields with the default
`UNSTATED` may be missing in the bodies of earlier versions.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from domain.audit.event import NEW, UNSTATED, Event, Restated, Stated
from domain.incidents.incident import CLOSED, OPEN, QUIET, Incident
from domain.steps import Announce, SettleIncident
from domain.text import count


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent(Event[Incident]):
    """Base of the kinds; the first thing that people do also acknowledges the incident."""

    acknowledged_at: Stated[datetime] = UNSTATED

    def apply(self, incident: Incident, at: datetime, actor: str) -> None:
        """Applies what every event may state."""
        self.state(incident, "acknowledged_at")

    def link(self, claims: dict[str, int], seq: int) -> None:
        """Changes which claims belong to the incident, each with its linking event's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsTaken(IncidentEvent):
    """Base of events that link claims, and state the incident's size by then."""

    claims: list[str]
    claim_count: int
    peak: int
    last_seen_at: datetime

    def apply(self, incident: Incident, at: datetime, actor: str) -> None:
        self.state(incident, "claim_count", "peak", "last_seen_at", "acknowledged_at")

    def link(self, claims: dict[str, int], seq: int) -> None:
        claims.update(dict.fromkeys(self.claims, seq))

    @property
    def sentence(self) -> str:
        more = f"{count(len(self.claims), 'claim')} more, {self.claim_count} in all"
        return f"{more}; at most {count(self.peak, 'spot')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOpened(ClaimsTaken):
    """An incident opened: a place exceeds its threshold, or claims were split off."""

    KIND = "incident.opened"
    PART = NEW
    LEADS_TO = (Announce, SettleIncident)
    HEADLINE: ClassVar[str] = "an incident"

    code: str
    kind: str
    place: str
    threshold: int
    told_peak: int
    first_seen_at: datetime
    split_from: Stated[str] = UNSTATED

    def begin(self, incident_id: str, at: datetime) -> Incident:
        """Returns the incident that opens."""
        return Incident(
            id=incident_id,
            code=self.code,
            kind=self.kind,
            place=self.place,
            threshold=self.threshold,
            opened_at=at,
            first_seen_at=self.first_seen_at,
            last_seen_at=self.last_seen_at,
            touched_at=at,
            claim_count=self.claim_count,
            peak=self.peak,
            told_peak=self.told_peak,
            acknowledged_at=None if self.acknowledged_at is UNSTATED else self.acknowledged_at,
            split_from=None if self.split_from is UNSTATED else self.split_from,
        )

    @property
    def sentence(self) -> str:
        size = f"{count(self.claim_count, 'claim')}, {count(self.peak, 'spot')}"
        return f"{self.HEADLINE}: {size}; usual are fewer than {self.threshold}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCounted(ClaimsTaken):
    """More claims or spots were counted, and the incident goes on."""

    KIND = "incident.counted"
    LEADS_TO = (Announce,)

    def apply(self, incident: Incident, at: datetime, actor: str) -> None:
        incident.status, incident.touched_at = OPEN, at
        ClaimsTaken.apply(self, incident, at, actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLinked(ClaimsTaken):
    """More claims belong to the incident, though its window is below the threshold again."""

    KIND = "incident.linked"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentMerged(ClaimsTaken):
    """The incident took over the claims of another."""

    KIND = "incident.merged"

    merged: str

    @property
    def sentence(self) -> str:
        return f"took over {count(len(self.claims), 'claim')} of incident {self.merged}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentGrew(IncidentEvent):
    """The incident has twice as many spots as in its last notification."""

    KIND = "incident.grew"
    LEADS_TO = (Announce,)
    HEADLINE: ClassVar[str] = "the incident is spreading"

    told_peak: int

    def apply(self, incident: Incident, at: datetime, actor: str) -> None:
        incident.told_peak = self.told_peak
        IncidentEvent.apply(self, incident, at, actor)

    @property
    def sentence(self) -> str:
        return f"{self.HEADLINE}: {count(self.told_peak, 'spot')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentQuiet(IncidentEvent):
    """Nothing new was seen for a while."""

    KIND = "incident.quiet"
    LEADS_TO = (SettleIncident,)

    def apply(self, incident: Incident, at: datetime, actor: str) -> None:
        incident.status = QUIET
        IncidentEvent.apply(self, incident, at, actor)

    @property
    def sentence(self) -> str:
        return "fell quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentClosed(IncidentEvent):
    """The incident is over: `quiet`, of `age`, by a `person`, or `merged` into another."""

    KIND = "incident.closed"
    LEADS_TO = (Announce,)
    HEADLINE: ClassVar[str] = "the incident is over"

    closed_why: str
    note: Stated[str] = UNSTATED
    merged_into: Stated[str] = UNSTATED
    claim_count: Stated[int] = UNSTATED

    def apply(self, incident: Incident, at: datetime, actor: str) -> None:
        incident.status, incident.closed_at = CLOSED, at
        self.state(incident, "closed_why", "merged_into", "claim_count", "acknowledged_at")

    def link(self, claims: dict[str, int], seq: int) -> None:
        if self.merged_into is not UNSTATED:
            claims.clear()

    @property
    def sentence(self) -> str:
        return f"{self.HEADLINE}: {self.closed_why}"

    @property
    def remark(self) -> str:
        return "" if self.note is UNSTATED else self.note


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSplit(IncidentEvent):
    """Some of its claims became an incident of their own."""

    KIND = "incident.split"

    claims: list[str]
    claim_count: int
    into: str
    note: str

    def apply(self, incident: Incident, at: datetime, actor: str) -> None:
        incident.claim_count = self.claim_count
        IncidentEvent.apply(self, incident, at, actor)

    def link(self, claims: dict[str, int], seq: int) -> None:
        for claim_id in self.claims:
            claims.pop(claim_id, None)

    @property
    def sentence(self) -> str:
        return f"{count(len(self.claims), 'claim')} went to incident {self.into}"

    @property
    def remark(self) -> str:
        return self.note


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAcknowledged(IncidentEvent):
    """Somebody attends to the incident."""

    KIND = "incident.acknowledged"

    note: Stated[str] = UNSTATED

    @property
    def sentence(self) -> str:
        return "acknowledged"

    @property
    def remark(self) -> str:
        return "" if self.note is UNSTATED else self.note


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCauseStated(IncidentEvent):
    """Somebody stated the root cause."""

    KIND = "incident.root_cause"

    root_cause: str

    def apply(self, incident: Incident, at: datetime, actor: str) -> None:
        incident.root_cause = self.root_cause
        IncidentEvent.apply(self, incident, at, actor)

    @property
    def sentence(self) -> str:
        return "root cause stated"

    @property
    def remark(self) -> str:
        return self.root_cause


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentNotified(IncidentEvent):
    """A message about the incident reached a destination."""

    KIND = "incident.announced"

    delivery: str
    destination: str
    event: str

    @property
    def sentence(self) -> str:
        return f"notified {self.destination}"


@dataclass(frozen=True, slots=True)
class IncidentRestated(Restated[Incident]):
    """Every column of the incident was stated anew; its links stay."""

    KIND = "incident.restated"
    RECORD = Incident

    def link(self, claims: dict[str, int], seq: int) -> None:
        """Changes nothing."""


EVENTS: Final = (
    IncidentOpened,
    IncidentCounted,
    IncidentLinked,
    IncidentMerged,
    IncidentGrew,
    IncidentQuiet,
    IncidentClosed,
    IncidentSplit,
    IncidentAcknowledged,
    RootCauseStated,
    IncidentNotified,
    IncidentRestated,
)
