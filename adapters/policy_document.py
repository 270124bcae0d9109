"""What a policy file may say, checked as a whole, and the policy that it makes."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from itertools import pairwise
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from domain.calendar import ALWAYS, Calendar, Span, knows_zone
from domain.catalogue import CLAIM_TYPES
from domain.policy import (
    AUTHORITIES,
    EVIDENCE_KINDS,
    ApprovalRule,
    CodePolicy,
    NotificationRule,
    Party,
    Policy,
    Severity,
    Target,
)

_NEWS = (
    "under_review",
    "escalated",
    "awaiting_evidence",
    "ineligible",
    "approved",
    "rejected",
    "resolved",
    "withdrawn",
    "sla_warned",
    "sla_breached",
)
_EVENTS = [f"claim.{name}" for name in _NEWS]
_MOST_WEEKS = 520
# Ten years, and what no repair costs: within them every moment and sum can be reckoned and stored.
_MOST_HOURS = 24.0 * 3_653
_MOST_COST = 1e9
_Hours = Annotated[float, Field(gt=0, le=_MOST_HOURS, allow_inf_nan=False)]
_Days = Annotated[float, Field(gt=0, le=36_525, allow_inf_nan=False)]
_Cost = Annotated[float, Field(ge=0, le=_MOST_COST, allow_inf_nan=False)]
_TargetHours = Annotated[_Hours, Field(ge=0.001)]


def _one_of(what: str, known: Sequence[str]) -> AfterValidator:
    def demand(name: str) -> str:
        _demand_known(what, [name], known)
        return name

    return AfterValidator(demand)


def _span(text: object) -> Span:
    """Hours of a day, `08:00-18:00`; `00:00` at the end, or `24:00`, is midnight."""
    begin, _, end = str(text).partition("-")
    try:
        span = time.fromisoformat(begin), time.min if end == "24:00" else time.fromisoformat(end)
    except ValueError:
        raise ValueError("hours are written like 08:00-18:00") from None
    if any(hour.tzinfo for hour in span):
        raise ValueError("hours are local to the site and state no offset: 08:00-18:00")
    if span[1] != time.min and span[0] >= span[1]:
        raise ValueError("the hours end before they begin")
    return span


def _day(given: object) -> object:
    if not isinstance(given, date | str):
        raise ValueError("a holiday is a date, such as 2026-12-25")
    return given


def _zone(name: str) -> str:
    if not knows_zone(name):
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Berlin")
    return name


Authority = Annotated[str, _one_of("role", AUTHORITIES)]
ClaimType = Annotated[str, _one_of("claim type", sorted(set(CLAIM_TYPES.values())))]
EvidenceKind = Annotated[str, _one_of("kind of evidence", EVIDENCE_KINDS)]
TimeZone = Annotated[str, AfterValidator(_zone)]
_HoursOfDay = Annotated[Span, BeforeValidator(_span)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Code(_Part):
    severity: Severity
    responsible: Party = "station"
    covered: bool = True
    evidence: list[EvidenceKind] = []
    cost: _Cost = 0.0
    filing_days: _Days = 3650.0
    hold_down_seconds: Annotated[float, Field(ge=0, le=3600 * _MOST_HOURS, allow_inf_nan=False)] = 0.0


class _Conditions(_Part):
    severities: list[Severity] = []
    claim_types: list[ClaimType] = []


class _Approval(_Conditions):
    stages: list[Authority] = []
    cost_up_to: Annotated[_Cost, Field(gt=0)] | None = None
    automatic: bool = False
    four_eyes: bool = False
    stage_hours: _Hours | None = None

    @model_validator(mode="after")
    def _decides(self) -> "_Approval":
        if self.automatic == bool(self.stages):
            raise ValueError("a rule names stages or is automatic, one of the two")
        return self

    @property
    def fits_all(self) -> bool:
        return not (self.severities or self.claim_types or self.cost_up_to)


class _Target(_Conditions):
    acknowledge_hours: _TargetHours
    resolve_hours: _TargetHours
    calendar: str = ALWAYS.name

    @property
    def fits_all(self) -> bool:
        return not (self.severities or self.claim_types)


class _Sla(_Part):
    warn_share: Annotated[float, Field(gt=0, lt=1)]
    targets: Annotated[list[_Target], Field(min_length=1)]


class _Calendar(_Part):
    monday: list[_HoursOfDay] = []
    tuesday: list[_HoursOfDay] = []
    wednesday: list[_HoursOfDay] = []
    thursday: list[_HoursOfDay] = []
    friday: list[_HoursOfDay] = []
    saturday: list[_HoursOfDay] = []
    sunday: list[_HoursOfDay] = []
    holidays: list[Annotated[date, BeforeValidator(_day)]] = []

    @property
    def week(self) -> tuple[tuple[Span, ...], ...]:
        days = (self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday)
        return tuple(tuple(sorted(day)) for day in days)

    @model_validator(mode="after")
    def _opens(self) -> "_Calendar":
        if not any(self.week):
            raise ValueError("a calendar must open on some day; leave it out and write `calendar: always`")
        twice = sorted({day.isoformat() for day in self.holidays if self.holidays.count(day) > 1})
        if twice:
            raise ValueError(f"holidays given twice: {', '.join(twice)}")
        for day in self.week:
            if any(later[0] < earlier[1] or earlier[1] == time.min for earlier, later in pairwise(day)):
                raise ValueError("the hours of a day overlap")
        return self


class _Flapping(_Part):
    episodes: Annotated[int, Field(ge=2, le=1000)] = 5
    within_minutes: Annotated[float, Field(gt=0, le=60 * _MOST_HOURS, allow_inf_nan=False)] = 60.0


class _Eligibility(_Part):
    evidence_wait_hours: _Hours
    corroboration_window_days: _Days
    unknown_spot_passes: bool
    unknown_warranty_passes: bool


class _Rule(_Conditions):
    event: str
    to: Annotated[list[str], Field(min_length=1)]

    @model_validator(mode="after")
    def _known(self) -> "_Rule":
        _demand_known("event", [self.event], _EVENTS)
        return self


class PolicyDocument(_Part):
    """The whole file."""

    version: Annotated[str, Field(min_length=1, max_length=64)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    time_zone: TimeZone
    codes: dict[str, _Code]
    mappings: dict[Annotated[str, Field(pattern=r"^vendor:.+")], dict[str, str]]
    approval: Annotated[list[_Approval], Field(min_length=1)]
    sla: _Sla
    calendars: dict[str, _Calendar]
    flapping: _Flapping = _Flapping()
    eligibility: _Eligibility
    notifications: list[_Rule]

    @model_validator(mode="after")
    def _complete(self) -> "PolicyDocument":
        _demand_known("code", list(self.codes), list(CLAIM_TYPES))
        _demand_all("codes", list(self.codes), list(CLAIM_TYPES))
        mapped = [code for table in self.mappings.values() for code in table.values()]
        _demand_known("code", mapped, list(CLAIM_TYPES))
        if ALWAYS.name in self.calendars:
            raise ValueError(f"the calendar {ALWAYS.name} runs around the clock and has no entry; rename yours")
        _demand_known("calendar", [t.calendar for t in self.sla.targets], [ALWAYS.name, *self.calendars])
        for number, target in enumerate(self.sla.targets, 1):
            _demand_reachable(number, target, _calendars(self)[target.calendar])
        if not self.approval[-1].fits_all:
            raise ValueError("the last rule of approval must fit every claim, so it names no conditions")
        if not self.sla.targets[-1].fits_all:
            raise ValueError("the last of sla.targets must fit every claim, so it names no conditions")
        return self


def _demand_known(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"{what} {name!r} is unknown; there are {', '.join(known)}")


def _demand_all(what: str, given: list[str], wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in given]
    if missing:
        raise ValueError(f"{what} lacks {', '.join(missing)}")


def _demand_reachable(number: int, target: _Target, calendar: Calendar) -> None:
    hours = max(target.acknowledge_hours, target.resolve_hours)
    if hours > _MOST_WEEKS * calendar.weekly / timedelta(hours=1):
        raise ValueError(
            f"target {number} of sla.targets, {hours:g} hours of {calendar.name}, takes over ten years"
        )


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
        notifications=tuple(
            NotificationRule(rule.event, tuple(rule.to), tuple(rule.severities), tuple(rule.claim_types))
            for rule in document.notifications
        ),
        **document.eligibility.model_dump(),
    )


def _calendars(document: PolicyDocument) -> dict[str, Calendar]:
    given = document.calendars.items()
    return {ALWAYS.name: ALWAYS} | {name: Calendar(name, it.week, frozenset(it.holidays)) for name, it in given}


def _code(code: _Code) -> CodePolicy:
    fields = _tuples(code)
    return CodePolicy(estimated_cost=fields.pop("cost"), **fields)


def _tuples(part: _Part) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in part.model_dump().items()}
