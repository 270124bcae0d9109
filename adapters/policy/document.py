"""The policy file as a document: its sections, their contradictions, and the policy they make."""

from collections.abc import Iterable, Iterator
from datetime import time, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from adapters.policy.fields import (
    Authority,
    ClaimType,
    Code,
    Cost,
    Days,
    Event,
    EvidenceDemand,
    HoldDownSeconds,
    Holiday,
    Hours,
    HoursOfDay,
    Minutes,
    Rejections,
    TargetHours,
    TimeZone,
    unknown,
)
from domain.policy.calendar import ALWAYS, Calendar, Span
from domain.policy.error_codes import CLAIM_TYPES, EQUIPMENT
from domain.policy.policy import (
    CAPACITY_SHARE,
    FEWEST_SPOTS,
    REJECTIONS,
    USAGE_RECORD,
    ApprovalRule,
    CodePolicy,
    GroupPolicy,
    IncidentPolicy,
    NotificationRule,
    Party,
    Policy,
    Severity,
    Target,
)

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOST_WEEKS = 520
_FITS_NOT_ALL = "the last one must fit every claim, so it names no conditions"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Code(_Part):
    severity: Severity
    responsible: Party = "station"
    covered: bool = True
    evidence: list[EvidenceDemand] = []
    cost: Cost = 0.0
    filing_days: Days = 3650.0
    hold_down_seconds: HoldDownSeconds = 0.0


class _Conditions(_Part):
    severities: list[Severity] = []
    claim_types: list[ClaimType] = []


class _Approval(_Conditions):
    stages: list[Authority] = []
    cost_up_to: Annotated[Cost, Field(gt=0)] | None = None
    automatic: bool = False
    four_eyes: bool = False
    stage_hours: Hours | None = None

    @model_validator(mode="after")
    def _decides(self) -> "_Approval":
        if self.automatic == bool(self.stages):
            raise ValueError("a rule names stages or is automatic, one of the two")
        return self

    @property
    def fits_all(self) -> bool:
        return not (self.severities or self.claim_types or self.cost_up_to)


class _Target(_Conditions):
    acknowledge_hours: TargetHours
    resolve_hours: TargetHours
    calendar: str = ALWAYS.name

    @property
    def fits_all(self) -> bool:
        return not (self.severities or self.claim_types)

    @property
    def longest(self) -> str:
        return max("resolve_hours", "acknowledge_hours", key=lambda name: getattr(self, name))


class _Sla(_Part):
    warn_share: Annotated[float, Field(gt=0, lt=1)]
    targets: Annotated[list[_Target], Field(min_length=1)]


class _Calendar(_Part):
    monday: list[HoursOfDay] = []
    tuesday: list[HoursOfDay] = []
    wednesday: list[HoursOfDay] = []
    thursday: list[HoursOfDay] = []
    friday: list[HoursOfDay] = []
    saturday: list[HoursOfDay] = []
    sunday: list[HoursOfDay] = []
    holidays: list[Holiday] = []

    @property
    def week(self) -> tuple[tuple[Span, ...], ...]:
        return tuple(tuple(sorted(getattr(self, day))) for day in _WEEK)

    @model_validator(mode="after")
    def _opens(self) -> "_Calendar":
        if not any(self.week):
            raise ValueError("a calendar must open on some day; leave it out and write `calendar: always`")
        _demand_none(self._contradictions())
        return self

    def _contradictions(self) -> "Iterator[_Wrong]":
        for number, holiday in enumerate(self.holidays):
            if holiday in self.holidays[:number]:
                yield ("holidays", number), f"the holiday {holiday} is given twice; keep one"
        for name, day in zip(_WEEK, self.week, strict=True):
            if any(later[0] < earlier[1] or earlier[1] == time.min for earlier, later in pairwise(day)):
                yield (name,), "the hours of a day overlap"


class _Flapping(_Part):
    episodes: Annotated[int, Field(ge=2, le=1000)] = 5
    within_minutes: Minutes = 60.0


class _Eligibility(_Part):
    evidence_wait_hours: Hours
    corroboration_window_days: Days
    unknown_spot_passes: bool
    unknown_warranty_passes: bool
    no_usage_passes: bool = False


class _Incidents(_Part):
    window_minutes: Literal[15, 30, 60, 120] = 60
    fewest_spots: Annotated[int, Field(ge=FEWEST_SPOTS, le=1000)] = FEWEST_SPOTS
    capacity_share: Annotated[float, Field(gt=0, le=1)] = CAPACITY_SHARE
    false_alarms_per_day: Annotated[float, Field(gt=0, le=100)] = 1.0
    quiet_minutes: Minutes = 60.0
    max_age_hours: Hours = 72.0


class _Rule(_Conditions):
    event: Event
    to: Annotated[list[str], Field(min_length=1)]
    codes: list[Code] = []
    zones: list[str] = []
    hours: str = ALWAYS.name
    at_once: list[Severity] = []
    repeat_hours: TargetHours | None = None
    escalate_to: str | None = None
    escalate_after_hours: TargetHours | None = None

    @model_validator(mode="after")
    def _escalates(self) -> "_Rule":
        if (self.escalate_to is None) != (self.escalate_after_hours is None):
            raise ValueError("a rule that escalates names both escalate_to and escalate_after_hours")
        if self.escalate_to in self.to:
            raise ValueError(f"{self.escalate_to} is notified at once, so nothing can be escalated to it")
        if self.at_once and self.hours == ALWAYS.name:
            raise ValueError("at_once names what does not wait for hours; name their calendar too")
        return self


class _Grouping(_Part):
    digest_seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 30.0
    longest_minutes: Annotated[float, Field(gt=0, le=1440, allow_inf_nan=False)] = 30.0
    per_minute: Annotated[int, Field(ge=1, le=10_000)] = 60


class PolicyDocument(_Part):
    """The whole policy file."""

    version: Annotated[str, Field(min_length=1, max_length=64)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    time_zone: TimeZone
    codes: dict[Code, _Code]
    mappings: dict[Annotated[str, Field(pattern=r"^vendor:.+")], dict[str, Code]]
    approval: Annotated[list[_Approval], Field(min_length=1)]
    rejections: Rejections = dict(REJECTIONS)
    sla: _Sla
    calendars: dict[str, _Calendar]
    flapping: _Flapping = _Flapping()
    eligibility: _Eligibility
    incidents: _Incidents = _Incidents()
    notifications: list[_Rule]
    pace: _Grouping = _Grouping()

    @model_validator(mode="after")
    def _complete(self) -> "PolicyDocument":
        _demand_none(self._contradictions())
        return self

    def _contradictions(self) -> "Iterator[_Wrong]":
        if missing := [code for code in CLAIM_TYPES if code not in self.codes]:
            yield ("codes",), f"codes lacks {', '.join(missing)}"
        for name, code in self.codes.items():
            if CLAIM_TYPES[name] == EQUIPMENT and {USAGE_RECORD, (USAGE_RECORD,)} & set(code.evidence):
                yield ("codes", name, "evidence"), "usage records say nothing of equipment; name other evidence"
        if ALWAYS.name in self.calendars:
            yield ("calendars", ALWAYS.name), "the calendar always runs around the clock; give yours another name"
        calendars = _calendars(self)
        for number, target in enumerate(self.sla.targets):
            if target.calendar not in calendars:
                yield ("sla", "targets", number, "calendar"), unknown("calendar", target.calendar, list(calendars))
            elif sentence := _out_of_reach(target, calendars[target.calendar]):
                yield ("sla", "targets", number, target.longest), sentence
        for number, rule in enumerate(self.notifications):
            if rule.hours not in calendars:
                yield ("notifications", number, "hours"), unknown("calendar", rule.hours, list(calendars))
        if not self.approval[-1].fits_all:
            yield ("approval", len(self.approval) - 1), _FITS_NOT_ALL
        if not self.sla.targets[-1].fits_all:
            yield ("sla", "targets", len(self.sla.targets) - 1), _FITS_NOT_ALL


_Wrong = tuple[tuple[str | int, ...], str]
"""A mistake: the path to it, and a sentence."""


def _demand_none(wrong: Iterable[_Wrong]) -> None:
    """Raises one error for all contradictions, each with its own place."""
    problems = [
        InitErrorDetails(
            type=PydanticCustomError("contradiction", "{sentence}", {"sentence": sentence}), loc=place, input=None
        )
        for place, sentence in wrong
    ]
    if problems:
        raise ValidationError.from_exception_data("policy", problems)


def _out_of_reach(target: _Target, calendar: Calendar) -> str | None:
    hours = getattr(target, target.longest)
    if hours <= _MOST_WEEKS * calendar.weekly / timedelta(hours=1):
        return None
    return f"{hours:g} hours of {calendar.name} take over ten years"


def policy_of(document: PolicyDocument) -> Policy:
    return Policy(
        version=document.version,
        currency=document.currency,
        time_zone=document.time_zone,
        codes={name: _code(code) for name, code in document.codes.items()},
        mappings={taxonomy: {**table} for taxonomy, table in document.mappings.items()},
        approval=tuple(ApprovalRule(**_tuples(rule)) for rule in document.approval),
        targets=tuple(Target(**_tuples(target)) for target in document.sla.targets),
        calendars=_calendars(document),
        warn_share=document.sla.warn_share,
        flapping_episodes=document.flapping.episodes,
        flapping_minutes=document.flapping.within_minutes,
        notifications=tuple(_notification(rule) for rule in document.notifications),
        pace=GroupPolicy(**document.pace.model_dump()),
        rejections={**document.rejections},
        incidents=IncidentPolicy(**document.incidents.model_dump()),
        **document.eligibility.model_dump(),
    )


def _calendars(document: PolicyDocument) -> dict[str, Calendar]:
    given = document.calendars.items()
    return {ALWAYS.name: ALWAYS} | {name: Calendar(name, it.week, frozenset(it.holidays)) for name, it in given}


def _code(code: _Code) -> CodePolicy:
    fields = _tuples(code)
    return CodePolicy(estimated_cost=fields.pop("cost"), **fields)


def _notification(rule: _Rule) -> NotificationRule:
    fields = _tuples(rule)
    return NotificationRule(destinations=fields.pop("to"), **fields)


def _tuples(part: _Part) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in part.model_dump().items()}
