"""Measures the service level: two clocks for each claim, which pause while it waits.

`read` is the one way to read a clock; the sweep, the console and the reports all use it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.clock_events import SlaBreached, SlaWarned
from domain.claims.lifecycle import AWAITING_EVIDENCE, INELIGIBLE
from domain.field.spot import Spot
from domain.policy.calendar import Calendar, knows_zone
from domain.policy.policy import Policy
from domain.steps import Announce, CheckClocks

ACKNOWLEDGE: Final = "acknowledge"
RESOLVE: Final = "resolve"
CLOCKS: Final = (ACKNOWLEDGE, RESOLVE)

WARNED: Final = "warned"
BREACHED: Final = "breached"

# The statuses in which the clocks are paused: the claim waits for others, or for nothing.
STANDING: Final = (AWAITING_EVIDENCE, INELIGIBLE)

Policies = Callable[[str], Policy]
"""Finds the policy of a version that was loaded once."""


def by_policy(claims: Iterable[Claim], present: Policy, policies: Policies) -> list[tuple[Policy, list[Claim]]]:
    """Groups claims by the policy that applies to each.

    That is the one that bound its clocks; until then the present one.
    """
    groups: dict[str | None, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.policy_version if claim.time_zone is not None else None, []).append(claim)
    return [(present if version is None else policies(version), group) for version, group in groups.items()]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What was promised: a target in calendar time, and when to warn.

    The warning comes at a share of the target. Claims of one policy, target and zone share one object; see
    `_terms`.
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
        """Returns the share of the target that is used up; 1 is all of it."""
        return self.used / self.terms.target


def read(
    terms: Terms, started_at: datetime, pauses: Sequence[datetime], stopped_at: datetime | None, now: datetime
) -> Reading:
    """Reads a clock.

    `pauses` holds the moments at which it was paused and resumed in turn, in order.
    """
    return _read(terms, started_at, tuple(pauses), stopped_at, now)


# Most claims of a batch were opened together, with one target, and their clocks are read twice.
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
    """Returns when the clock ran: pairs of begin and end; the last run may have no end."""
    begins = (started_at, *(max(moment, started_at) for moment in pauses[1::2]))
    ends = (*(max(moment, started_at) for moment in pauses[::2]), None)
    return list(zip(begins, ends, strict=False))


def _used(terms: Terms, runs: Iterable[tuple[datetime, datetime | None]], until: datetime) -> timedelta:
    spans = ((begin, until if end is None else min(end, until)) for begin, end in runs)
    times = (terms.calendar.between(begin, end, terms.time_zone) for begin, end in spans if begin < end)
    return sum(times, timedelta(0))


def _reached(terms: Terms, runs: Iterable[tuple[datetime, datetime | None]], wanted: timedelta) -> datetime | None:
    """Returns when so much time is used up, or None if a pause must end first."""
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
    """Reads both clocks of a claim by the policy that bound them.

    A claim without clocks has none. Closing a claim stops both, whatever anybody did before.
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


def bind(claim: Claim, status: str, spot: Spot | None, policy: Policy, now: datetime) -> dict[str, Any]:
    """Binds the clocks of a claim that gets this status to this policy.

    They run since it was opened. Returns what was bound and why, as fields of a `ClockChange`; see `follow`.
    """
    of_spot = spot.time_zone if spot else None
    time_zone = of_spot if of_spot is not None and knows_zone(of_spot) else policy.time_zone
    rule = policy.target_for(claim.severity, claim.claim_type)
    bound = {
        "policy": policy.version,
        "target": policy.targets.index(rule) + 1,
        "severities": list(rule.severities),
        "claim_types": list(rule.claim_types),
        "acknowledge_hours": rule.acknowledge_hours,
        "resolve_hours": rule.resolve_hours,
        "calendar": rule.calendar,
        "time_zone": time_zone,
        "zone_of": "spot" if time_zone == of_spot else "policy",
    }
    moved, pauses = _pause(claim, status, now)
    return bound | moved | _due_dates(claim, policy, time_zone, pauses, now)


def follow(
    claim: Claim, status: str, policy: Policy, now: datetime, *, closed_at: datetime | None = None
) -> dict[str, Any]:
    """Pauses or resumes the clocks as a claim's new status demands.

    `policy` is the one that bound the clocks. `closed_at` is when a claim that is reopened had been closed: the
    time since does not count, even if the clocks are bound only later. Returns what changes, as fields of a
    `ClockChange`; after an event with any, `schedule` says which step follows.
    """
    if claim.time_zone is None and closed_at is None:
        return {}
    moved, pauses = _pause(claim, status, now, closed_at)
    if moved and claim.time_zone is not None:
        moved |= _due_dates(claim, policy, claim.time_zone, pauses, now)
    return moved


def _pause(
    claim: Claim, status: str, now: datetime, closed_at: datetime | None = None
) -> tuple[dict[str, Any], list[datetime]]:
    """Returns what pauses or resumes the clocks, and all pauses with it."""
    pauses = list(claim.pauses)
    if closed_at is not None and not claim.paused:
        pauses.append(closed_at)
    paused = len(pauses) % 2 == 1
    if paused == (status in STANDING):
        return {}, pauses
    # The clocks of two machines may differ, and a pause must not end before it began.
    pauses.append(max([now, *pauses[-1:]]))
    change = "resumed_at" if paused else "paused_at"
    return ({"closed_from": closed_at} if closed_at else {}) | {change: pauses[-1]}, pauses


def _due_dates(
    claim: Claim, policy: Policy, time_zone: str, pauses: Sequence[datetime], now: datetime
) -> dict[str, Any]:
    terms = _terms(policy, claim.severity, claim.claim_type, time_zone)
    return {f"{clock}_due_at": read(terms[clock], claim.opened_at, pauses, None, now).due_at for clock in CLOCKS}


def _hours(duration: timedelta) -> float:
    return round(duration / timedelta(hours=1), 3)


def acknowledge(claim: Claim, now: datetime) -> dict[str, Any]:
    """Stops the first clock, once: somebody acts on the claim.

    Returns what changes, as `follow` does.
    """
    return {} if claim.acknowledged_at is not None else {"acknowledged_at": now}


def schedule(claims: Iterable[Claim], policies: Policies, now: datetime) -> list[CheckClocks]:
    """Schedules the next check of clocks that were bound, resumed or swept."""
    together: dict[tuple[datetime, int], list[str]] = {}
    for claim in claims:
        moment = _next_moment(claim, policies, now)
        if moment is not None:
            together.setdefault((moment, len(claim.pauses)), []).append(claim.id)
    return [CheckClocks(ids, pauses, due_at=moment) for (moment, pauses), ids in together.items()]


def _next_moment(claim: Claim, policies: Policies, now: datetime) -> datetime | None:
    if claim.time_zone is None:
        return None
    moments = [
        moment
        for clock, shown in readings(claim, policies(claim.policy_version), now).items()
        for alert, moment in ((WARNED, shown.warn_at), (BREACHED, shown.due_at))
        # A clock may be bound only after it was stopped too late; what it ran past is pending as well.
        if moment is not None and (shown.stopped_at is None or moment < shown.stopped_at)
        if f"{clock}.{alert}" not in claim.sla_alerts
    ]
    return min(moments, default=None)


def sweep(
    claims: Sequence[Claim], pending: Collection[tuple[str, int]], policies: Policies, now: datetime
) -> Changes:
    """Fires the alerts that the clocks have run past, each once.

    Then it schedules the next check. `pending` names the steps that led here, each by a claim and the number of
    its pauses: one from before a pause fires what it still finds, but has a successor already.
    """
    changes = Changes()
    notices: dict[str, list[str]] = {}
    for claim in claims:
        if claim.time_zone is None:
            continue
        for clock, shown in readings(claim, policies(claim.policy_version), now).items():
            fired = [alert for alert in _alerts(shown) if f"{clock}.{alert}" not in claim.sla_alerts]
            for alert in fired:
                event = _ALERTS[alert](clock=clock, due_at=shown.due_at, used_hours=_hours(shown.used))
                changes.record(claim, event, now, "rule:sla")
            if fired:
                # A warning together with the breach, after an outage, would warn nobody.
                notices.setdefault(f"sla_{fired[-1]}.{clock}", []).append(claim.id)
    changes.put(*(Announce(ids, event=event) for event, ids in notices.items()))
    again = (claim for claim in claims if (claim.id, len(claim.pauses)) in pending)
    changes.put(*schedule(again, policies, now))
    return changes


_ALERTS: Final[dict[str, type[SlaWarned | SlaBreached]]] = {WARNED: SlaWarned, BREACHED: SlaBreached}


def _alerts(shown: Reading) -> list[str]:
    return [alert for alert, ran in ((WARNED, shown.warned), (BREACHED, shown.breached)) if ran]
