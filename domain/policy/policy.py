"""Defines what an operator sets in `policy.yaml`: severities, evidence, approval, targets, notifications."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from domain.backoff import Backoff
from domain.policy.calendar import ALWAYS, Calendar

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")

Party = Literal["station", "operator", "vehicle", "user"]

_MICROSECOND = timedelta(microseconds=1)

SIGNED_METER_VALUE = "signed_meter_value"
"""What a meter signed: filed, or with the spot's records."""
EVIDENCE_KINDS = (
    "meter_reading",
    SIGNED_METER_VALUE,
    "reservation_response",
    "session",
    "photo",
    "document",
    "note",
)
USAGE_RECORD = "usage_record"
"""What the spot's records already show; nobody files it."""
DEMANDABLE = (*EVIDENCE_KINDS, USAGE_RECORD)

Demand = str | tuple[str, ...]
"""A kind of evidence, or several of which any is enough."""


@dataclass(frozen=True, slots=True)
class CodePolicy:
    """What the policy says of one error code.

    `evidence` names what must be on file before anybody approves. `estimated_cost` is in the policy's
    currency. `filing_days` is how long after the fault a claim may be filed, and `hold_down_seconds` how long a
    fault is observed first: one that clears by then becomes no claim, unless it flaps.
    """

    severity: Severity
    responsible: Party = "station"
    covered: bool = True
    evidence: tuple[Demand, ...] = ()
    estimated_cost: float = 0.0
    filing_days: float = 3650.0
    hold_down_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """Who must approve a claim that fits all conditions, in this order.

    The first rule that fits counts. Empty conditions fit everything. `automatic` approves without a person. With
    `four_eyes` nobody may pass two stages. A stage that takes longer than `stage_hours` is escalated.
    """

    stages: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    claim_types: tuple[str, ...] = ()
    cost_up_to: float | None = None
    automatic: bool = False
    four_eyes: bool = False
    stage_hours: float | None = None

    def fits(self, severity: str, claim_type: str, cost: float) -> bool:
        """Checks whether this rule applies to a claim like this."""
        return _fits(self, severity, claim_type) and (self.cost_up_to is None or cost <= self.cost_up_to)


@dataclass(frozen=True, slots=True)
class Target:
    """The service level: hours of the calendar to acknowledge and to resolve a claim.

    The first target that fits counts. Empty conditions fit everything.
    """

    acknowledge_hours: float
    resolve_hours: float
    calendar: str = ALWAYS.name
    severities: tuple[str, ...] = ()
    claim_types: tuple[str, ...] = ()

    def fits(self, severity: str, claim_type: str) -> bool:
        """Checks whether this target applies to a claim like this."""
        return _fits(self, severity, claim_type)


# The defaults of `IncidentPolicy`; no policy may set fewer spots.
FEWEST_SPOTS: Final = 3
CAPACITY_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class IncidentPolicy:
    """When one error on many spots is an incident, and when it is over.

    Spots are counted in a window of `window_minutes`. Fewer than `fewest_spots` are never an incident; without a
    baseline neither is less than `capacity_share` of a place. It closes when nothing new was seen for twice
    `quiet_minutes`, at the latest after `max_age_hours`.
    """

    window_minutes: int = 60
    fewest_spots: int = FEWEST_SPOTS
    capacity_share: float = CAPACITY_SHARE
    false_alarms_per_day: float = 1.0
    quiet_minutes: float = 60.0
    max_age_hours: float = 72.0


@dataclass(frozen=True, slots=True)
class NotificationRule:
    """Which destinations are notified of an event that fits all conditions.

    Empty conditions fit everything. Outside `hours`, the opening hours of a calendar, notices wait until they
    begin, except for the severities `at_once`. A notice that nobody acknowledges is repeated every `repeat_hours`,
    and sent once to `escalate_to`.
    """

    event: str
    destinations: tuple[str, ...]
    severities: tuple[str, ...] = ()
    claim_types: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    hours: str = ALWAYS.name
    at_once: tuple[str, ...] = ()
    repeat_hours: float | None = None
    escalate_to: str | None = None
    escalate_after_hours: float | None = None

    def fits(self, event: str, code: str, severity: str, claim_type: str, zone: str | None) -> bool:
        """Checks whether this rule applies to a notice like this."""
        return (
            event == self.event
            and _fits(self, severity, claim_type)
            and code in (self.codes or (code,))
            and zone in (self.zones or (zone,))
        )


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """How many messages a destination gets: digests for each group, and its rate limit.

    After the first message of a group the next comes `digest_seconds` later, each further one after twice that
    time, up to `longest_minutes`. `per_minute` limits all groups of a destination together.
    """

    digest_seconds: float = 30.0
    longest_minutes: float = 30.0
    per_minute: int = 60

    def delay(self, messages: int) -> timedelta:
        """Returns how long a group collects after so many messages, one or more."""
        window = Backoff(timedelta(seconds=self.digest_seconds), timedelta(minutes=self.longest_minutes))
        return window.after(messages)


OTHER_REASON: Final = "OTHER"
"""The reason of a rejection that a person states in words; a policy may leave it out."""

REJECTIONS: Final[Mapping[str, str]] = {
    "NO_FAULT_FOUND": "No fault was found at the spot.",
    "NOT_COVERED": "The warranty does not cover what happened.",
    "USER_ERROR": "The spot was used wrongly; it has no fault.",
    "DAMAGED_FROM_OUTSIDE": "The spot was damaged from outside.",
    "EVIDENCE_UNCONVINCING": "What is on file does not show the fault.",
    "SETTLED_ALREADY": "The fault was settled before, by another way.",
    OTHER_REASON: "For another reason, which the note states.",
}
"""The reasons of rejections in a policy that lists none of its own."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy.

    Times are in hours or days as named; `time_zone` is for sites that state none. `rejections` holds the reasons
    that a rejection can name, each code with its sentence.
    """

    version: str
    currency: str
    time_zone: str
    codes: Mapping[str, CodePolicy]
    mappings: Mapping[str, Mapping[str, str]]
    approval: tuple[ApprovalRule, ...]
    targets: tuple[Target, ...]
    calendars: Mapping[str, Calendar]
    warn_share: float
    flapping_episodes: int
    flapping_minutes: float
    evidence_wait_hours: float
    corroboration_window_days: float
    unknown_spot_passes: bool
    unknown_warranty_passes: bool
    no_usage_passes: bool
    notifications: tuple[NotificationRule, ...]
    pace: GroupPolicy = GroupPolicy()
    incidents: IncidentPolicy = IncidentPolicy()
    rejections: Mapping[str, str] = field(default_factory=lambda: REJECTIONS)

    def __hash__(self) -> int:
        """Hashes the version: it names the contents, so what follows from a policy can be cached."""
        return hash(self.version)

    def approval_for(self, severity: str, claim_type: str, cost: float) -> ApprovalRule:
        """Returns the rule that says who approves a claim like this."""
        return next(rule for rule in self.approval if rule.fits(severity, claim_type, cost))

    def target_for(self, severity: str, claim_type: str) -> Target:
        """Returns the target of a claim like this."""
        return next(target for target in self.targets if target.fits(severity, claim_type))

    def held_until(self, rule: NotificationRule, severity: str, now: datetime) -> datetime | None:
        """Returns when the rule's hours begin, or None if a notice need not wait."""
        if severity in rule.at_once:
            return None
        opens = self.calendars[rule.hours].after(now, _MICROSECOND, self.time_zone) - _MICROSECOND
        return opens if opens > now else None

    @property
    def destinations(self) -> set[str]:
        """Returns every destination that the rules name."""
        named = {name for rule in self.notifications for name in rule.destinations}
        return named | {rule.escalate_to for rule in self.notifications if rule.escalate_to}


def _fits(rule: ApprovalRule | Target | NotificationRule, severity: str, claim_type: str) -> bool:
    return severity in (rule.severities or (severity,)) and claim_type in (rule.claim_types or (claim_type,))
