"""Field types of the policy file, each with its bounds."""

from collections.abc import Sequence
from datetime import date, time
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from domain.policy.calendar import Span, knows_zone
from domain.policy.error_codes import CLAIM_TYPES
from domain.policy.policy import DEMANDABLE, Demand
from domain.policy.roles import AUTHORITIES

_CLAIM_EVENTS = (
    "under_review",
    "escalated",
    "awaiting_evidence",
    "ineligible",
    "approved",
    "rejected",
    "resolved",
    "withdrawn",
    "corrected",
    "rebound",
    "duplicate",
    "sla_warned",
    "sla_breached",
)
_EVENTS = [*(f"claim.{name}" for name in _CLAIM_EVENTS), "incident.opened", "incident.grew", "incident.closed"]
# Ten years, and what no repair costs: within them every moment and sum can be reckoned and stored.
_MOST_HOURS = 24.0 * 3_653
_MOST_COST = 1e9
Hours = Annotated[float, Field(gt=0, le=_MOST_HOURS, allow_inf_nan=False)]
Days = Annotated[float, Field(gt=0, le=36_525, allow_inf_nan=False)]
Cost = Annotated[float, Field(ge=0, le=_MOST_COST, allow_inf_nan=False)]
TargetHours = Annotated[Hours, Field(ge=0.001)]
Minutes = Annotated[float, Field(gt=0, le=60 * _MOST_HOURS, allow_inf_nan=False)]
HoldDownSeconds = Annotated[float, Field(ge=0, le=3600 * _MOST_HOURS, allow_inf_nan=False)]


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    return f"{what} {name!r} is unknown; there are {', '.join(known)}"


def _one_of(what: str, known: Sequence[str]) -> AfterValidator:
    def demand(name: str) -> str:
        if name not in known:
            raise ValueError(unknown(what, name, known))
        return name

    return AfterValidator(demand)


def _demand(given: object) -> Demand:
    kinds = tuple(given) if isinstance(given, list) else (given,)
    if not kinds:
        raise ValueError("a list of alternatives names at least one kind of evidence")
    for kind in kinds:
        if kind not in DEMANDABLE:
            raise ValueError(unknown("kind of evidence", str(kind), DEMANDABLE))
    return kinds if isinstance(given, list) else str(given)


def _span(text: object) -> Span:
    """Parses opening hours, `08:00-18:00`; `00:00` at the end, or `24:00`, is midnight."""
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
    try:
        return date.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        raise ValueError("a holiday is a date, such as 2026-12-25") from None


def _zone(name: str) -> str:
    if not knows_zone(name):
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Berlin")
    return name


Code = Annotated[str, _one_of("code", list(CLAIM_TYPES))]
Event = Annotated[str, _one_of("event", _EVENTS)]
Authority = Annotated[str, _one_of("role", AUTHORITIES)]
ClaimType = Annotated[str, _one_of("claim type", sorted(set(CLAIM_TYPES.values())))]
# One kind, or a list of which any is enough.
EvidenceDemand = Annotated[Any, AfterValidator(_demand)]
# A code of upper-case letters, digits and underscores; what it says in one line.
Rejections = Annotated[
    dict[
        Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")],
        Annotated[str, Field(pattern=r"^\S[^\x00-\x1f]{0,255}$")],
    ],
    Field(min_length=1, max_length=256),
]
TimeZone = Annotated[str, AfterValidator(_zone)]
HoursOfDay = Annotated[Span, BeforeValidator(_span)]
Holiday = Annotated[date, BeforeValidator(_day)]
