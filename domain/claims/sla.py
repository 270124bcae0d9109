"""The service level: two clocks a claim, which stand while the claim waits for others, and what they set off.

`read` is the one way to read a clock; the sweep, the console and the reports all go through it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from domain.audit import chain as audit
from domain.calendar import Calendar, knows_zone
from domain.changes import Decision, Step
from domain.claims.claim import Claim
from domain.claims.lifecycle import AWAITING_EVIDENCE, INELIGIBLE
from domain.field.spot import Spot
from domain.policy import Policy

ACKNOWLEDGE: Final = "acknowledge"
RESOLVE: Final = "resolve"
CLOCKS: Final = (ACKNOWLEDGE, RESOLVE)

WARNED: Final = "warned"
BREACHED: Final = "breached"

# While a claim is one of these it waits for others, or for nothing, and its clocks stand.
STANDING: Final = (AWAITING_EVIDENCE, INELIGIBLE)

Policies = Callable[[str], Policy]
"""The policy of a version that was loaded once."""


def by_policy(claims: Iterable[Claim], present: Policy, policies: Policies) -> list[tuple[Policy, list[Claim]]]:
    """Claims by the policy that each goes by: the one that bound its clocks; the present one until then."""
    groups: dict[str | None, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.policy_version if claim.time_zone is not None else None, []).append(claim)
    return [(present if version is None else policies(version), group) for version, group in groups.items()]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What was promised: so much of the calendar's time in a time zone, and a warning at a share of it.

    There is one object for the claims of one policy, target and zone; see `_terms`.
    """

    target: timedelta
    calendar: Calendar
    time_zone: str
    warn_share: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clock shows at a moment.

    `warn_at` and `due_at` are None while they depend on the end of a pause. `warned` and `breached` say whether
    the clock ran past them; one that was stopped in time never will.
    """

    terms: Terms
    used: timedelta
    warn_at: datetime | None
    due_at: datetime | None
    stopped_at: datetime | None
    paused: bool
    warned: bool
    breached: bool

    @property
    def share(self) -> float:
        """How much of the target is used up; 1 is all of it."""
        return self.used / self.terms.target


def read(
    terms: Terms, started_at: datetime, pauses: Sequence[datetime], stopped_at: datetime | None, now: datetime
) -> Reading:
    """Reads a clock. `pauses` holds the moments at which it was paused and resumed in turn, in order."""
    return _read(terms, started_at, tuple(pauses), stopped_at, now)


# Most claims of a batch were opened together, with one target, and are asked about twice.
@lru_cache(maxsize=512)
def _read(
    terms: Terms, started_at: datetime, pauses: tuple[datetime, ...], stopped_at: datetime | None, now: datetime
) -> Reading:
    runs = _runs(started_at, pauses)
    until = now if stopped_at is None else min(now, stopped_at)
    warn_at = _reached(terms, runs, terms.target * terms.warn_share)
    due_at = _reached(terms, runs, terms.target)
    return Reading(
        terms=terms,
        used=_used(terms, runs, until),
        warn_at=warn_at,
        due_at=due_at,
        stopped_at=stopped_at,
        paused=stopped_at is None and len(pauses) % 2 == 1,
        warned=_ran_past(warn_at, stopped_at, now),
        breached=_ran_past(due_at, stopped_at, now),
    )


def _runs(started_at: datetime, pauses: Sequence[datetime]) -> list[tuple[datetime, datetime | None]]:
    """From when until when the clock ran; the last run may not have ended."""
    begins = (started_at, *(max(moment, started_at) for moment in pauses[1::2]))
    ends = (*(max(moment, started_at) for moment in pauses[::2]), None)
    return list(zip(begins, ends, strict=False))


def _used(terms: Terms, runs: Iterable[tuple[datetime, datetime | None]], until: datetime) -> timedelta:
    spans = ((begin, until if end is None else min(end, until)) for begin, end in runs)
    times = (terms.calendar.between(begin, end, terms.time_zone) for begin, end in spans if begin < end)
    return sum(times, timedelta(0))


def _reached(terms: Terms, runs: Iterable[tuple[datetime, datetime | None]], wanted: timedelta) -> datetime | None:
    """When so much time is used up, or None if a pause must end first."""
    for begin, end in runs:
        if end is not None:
            run = terms.calendar.between(begin, end, terms.time_zone)
            if wanted > run:
                wanted -= run
                continue
        return terms.calendar.after(begin, wanted, terms.time_zone)
    return None


def _ran_past(mark: datetime | None, stopped_at: datetime | None, now: datetime) -> bool:
    return mark is not None and mark <= now and (stopped_at is None or stopped_at > mark)


def readings(claim: Claim, policy: Policy, now: datetime) -> dict[str, Reading]:
    """Both clocks of a claim at a moment, by the policy that bound them; none for a claim without clocks.

    Closing a claim stops both, whatever anybody did before.
    """
    if claim.time_zone is None:
        return {}
    terms = _terms(policy, claim.severity, claim.claim_type, claim.time_zone)
    stops = {ACKNOWLEDGE: claim.acknowledged_at or claim.closed_at, RESOLVE: claim.closed_at}
    return {clock: read(terms[clock], claim.opened_at, claim.pauses, stops[clock], now) for clock in CLOCKS}


@lru_cache(maxsize=1024)
def _terms(policy: Policy, severity: str, claim_type: str, time_zone: str) -> dict[str, Terms]:
    rule = policy.target_for(severity, claim_type)
    hours = {ACKNOWLEDGE: rule.acknowledge_hours, RESOLVE: rule.resolve_hours}
    calendar = policy.calendars[rule.calendar]
    return {
        clock: Terms(timedelta(hours=hours[clock]), calendar, time_zone, policy.warn_share) for clock in CLOCKS
    }


def bind(claim: Claim, spot: Spot | None, policy: Policy, now: datetime) -> dict[str, Any]:
    """Gives the claim its clocks, which run since it was opened, by this policy from now on and for good.

    Returns what was bound and why, for the body of the event that records it; see `follow`.
    """
    of_spot = spot.time_zone if spot else None
    claim.time_zone = of_spot if of_spot is not None and knows_zone(of_spot) else policy.time_zone
    claim.policy_version = policy.version
    rule = policy.target_for(claim.severity, claim.claim_type)
    bound = {
        "policy": policy.version,
        "target": policy.targets.index(rule) + 1,
        "severities": list(rule.severities),
        "claim_types": list(rule.claim_types),
        "acknowledge_hours": rule.acknowledge_hours,
        "resolve_hours": rule.resolve_hours,
        "calendar": rule.calendar,
        "time_zone": claim.time_zone,
        "zone_of": "spot" if claim.time_zone == of_spot else "policy",
    }
    moved = follow(claim, policy, now)
    return bound | (moved or _set_due_dates(claim, policy, now))


def follow(claim: Claim, policy: Policy, now: datetime, *, closed_at: datetime | None = None) -> dict[str, Any]:
    """Brings the clocks in line with a status that the claim just took: paused, resumed, or as they were.

    `policy` is the one that bound the clocks. `closed_at` is when a claim that is open again had been closed: the
    time since does not count, also when the clocks are bound only later. Returns what changed, for the body of
    the event that records the change, under `clocks`; when that is not empty, `owe` says which step follows.
    """
    if claim.time_zone is None and closed_at is None:
        return {}
    if closed_at is not None and not _paused(claim):
        claim.pauses.append(closed_at)
    if _paused(claim) == (claim.status in STANDING):
        return {}
    # Two machines may not agree on the time, and a pause must not end before it began.
    claim.pauses.append(max([now, *claim.pauses[-1:]]))
    change = "paused_at" if _paused(claim) else "resumed_at"
    times = {"closed_from": audit.instant(closed_at)} if closed_at else {}
    dates = _set_due_dates(claim, policy, now) if claim.time_zone is not None else {}
    return times | {change: audit.instant(claim.pauses[-1])} | dates


def _paused(claim: Claim) -> bool:
    return len(claim.pauses) % 2 == 1


def _set_due_dates(claim: Claim, policy: Policy, now: datetime) -> dict[str, Any]:
    shown = readings(claim, policy, now)
    claim.acknowledge_due_at, claim.resolve_due_at = shown[ACKNOWLEDGE].due_at, shown[RESOLVE].due_at
    return {f"{clock}_due_at": _instant(shown[clock].due_at) for clock in CLOCKS}


def _instant(moment: datetime | None) -> str | None:
    return audit.instant(moment) if moment else None


def _hours(duration: timedelta) -> float:
    return round(duration / timedelta(hours=1), 3)


def acknowledge(claim: Claim, now: datetime) -> dict[str, Any]:
    """Somebody acted on the claim: stops its first clock, once. Returns what changed, for the event's body."""
    if claim.acknowledged_at is not None:
        return {}
    claim.acknowledged_at = now
    return {"acknowledged_at": audit.instant(now)}


def owe(claims: Iterable[Claim], policies: Policies, now: datetime) -> list[Step]:
    """The steps `clock` of claims that were bound, resumed or swept: one for all that share the next moment."""
    together: dict[tuple[datetime, str], list[str]] = {}
    for claim in claims:
        moment = _next_moment(claim, policies, now)
        if moment is not None:
            together.setdefault((moment, _lap(claim)), []).append(claim.id)
    return [Step("clock", ids, due_at=moment, subject=lap) for (moment, lap), ids in together.items()]


def _lap(claim: Claim) -> str:
    """Tells the step of a clock that was resumed from the one that was owed before the pause."""
    return str(len(claim.pauses))


def _next_moment(claim: Claim, policies: Policies, now: datetime) -> datetime | None:
    if claim.time_zone is None:
        return None
    moments = [
        moment
        for clock, shown in readings(claim, policies(claim.policy_version), now).items()
        for alert, moment in ((WARNED, shown.warn_at), (BREACHED, shown.due_at))
        # A clock that was stopped too late may have been bound later still; what it ran past is owed as well.
        if moment is not None and (shown.stopped_at is None or moment < shown.stopped_at)
        if f"{clock}.{alert}" not in claim.sla_alerts
    ]
    return min(moments, default=None)


def sweep(
    claims: Sequence[Claim], owed: Collection[tuple[str, str | None]], policies: Policies, now: datetime
) -> Decision:
    """Fires what the clocks have run past, each alert once, and owes the next moment.

    `owed` names the steps that brought this about, each by a claim and its subject: one from before a pause ended
    fires what it still finds, but has a successor already.
    """
    decision = Decision()
    told: dict[str, list[str]] = {}
    for claim in claims:
        if claim.time_zone is None:
            continue
        before = claim.version
        for clock, shown in readings(claim, policies(claim.policy_version), now).items():
            fired = [alert for alert in _alerts(shown) if f"{clock}.{alert}" not in claim.sla_alerts]
            for alert in fired:
                claim.sla_alerts.append(f"{clock}.{alert}")
                data = {"clock": clock, "due_at": _instant(shown.due_at), "used_hours": _hours(shown.used)}
                decision.events.append(audit.append(claim, now, "rule:sla", f"claim.sla_{alert}", data))
            if fired:
                # A warning that comes together with the breach, after an outage, would warn nobody.
                told.setdefault(f"sla_{fired[-1]}.{clock}", []).append(claim.id)
        if claim.version > before:
            decision.changed.append(claim)
    decision.steps += [Step("announce", ids, subject=news) for news, ids in told.items()]
    decision.steps += owe((claim for claim in claims if (claim.id, _lap(claim)) in owed), policies, now)
    return decision


def _alerts(shown: Reading) -> list[str]:
    return [alert for alert, ran in ((WARNED, shown.warned), (BREACHED, shown.breached)) if ran]
