"""Routes notices to destinations, and says why some are not sent."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from domain.claims.claim import Claim
from domain.incidents.incident import Incident
from domain.notifications.delivery import BY_INCIDENT, BY_SILENCE, ESCALATION, REPEAT, RESOLVED
from domain.notifications.notice import (
    ALERTS,
    ENDINGS,
    INCIDENT_GREW,
    INCIDENT_OPENED,
    Notice,
    event_of,
    of_claims,
    of_incidents,
)
from domain.notifications.silence import Silence
from domain.policy.policy import NotificationRule, Policy
from domain.steps import Remind

_STILL_OPEN: Final = ", and nobody has acknowledged it"


@dataclass(frozen=True, slots=True)
class RoutingContext:
    """What routing depends on at this moment.

    These are the silences in force, the open incident (its id) that a claim belongs to, and the destinations that
    were notified of claims or incidents before.
    """

    now: datetime
    silences: Sequence[Silence] = ()
    incidents: Mapping[str, str] = field(default_factory=dict)
    notified: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Notification:
    """Notices of one event and error for one destination.

    Without a `reason` the window of its group gives it one. One that is not sent says `why`. Quiet hours hold it
    until `held_until`.
    """

    destination: str
    notices: list[Notice]
    reason: str | None = None
    why: str = ""
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Collected notices after their review: those sent, and those left out."""

    sent: list[Notice]
    not_sent: list[Notification]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One notice for one destination, and the rule that sends it there; an ending may have none."""

    notice: Notice
    destination: str
    rule: NotificationRule | None
    reason: str | None = None


def route(notices: Iterable[Notice], policy: Policy, context: RoutingContext) -> list[Notification]:
    """Routes notices to every destination that the policy names.

    Endings go to every destination that was notified of the beginning. Claims under an open incident are
    suppressed where the incident is notified, except their endings.
    """
    return _notifications(_candidates(notices, policy, context), policy, context)


def review(notices: Sequence[Notice], destination: str, policy: Policy, context: RoutingContext) -> Reviewed:
    """Leaves out collected notices that are silenced or under an incident by now."""
    found = [_Candidate(item, destination, None, _end_of(item, destination, context)) for item in notices]
    not_sent = [it for it in _notifications(found, policy, context) if it.why]
    return Reviewed([it.notice for it in found if not _not_sent(it, policy, context)], not_sent)


def follow_ups(notices: Iterable[Notice], policy: Policy, now: datetime) -> list[Remind]:
    """Schedules reminders of notices whose rules repeat or escalate."""
    pending: dict[tuple[str, str, str, str, datetime], list[str]] = {}
    for item in notices:
        for destination, rule in _listeners(item, policy).items():
            begin = policy.held_until(rule, item.severity, now) or now
            for reason, hours in _reminders(rule):
                # Only the last growth is repeated; the next destination is notified of each.
                occasion = item.occasion if reason == REPEAT else item.event
                key = (reason, occasion, destination, item.subject_kind, begin + timedelta(hours=hours))
                pending.setdefault(key, []).append(item.about)
    return [
        Remind(ids, reason, occasion, destination, subject_kind=kind, due_at=due_at)
        for (reason, occasion, destination, kind, due_at), ids in pending.items()
    ]


def remind(
    still: Sequence[Notice], pending: Sequence[Remind], policy: Policy, context: RoutingContext
) -> tuple[list[Notification], list[Remind]]:
    """Routes reminders of unacknowledged notices, and schedules the next repetition.

    `still` are the notices that are `unanswered`; nobody is reminded of other subjects of the `pending` steps, nor
    of what the policy does not repeat or escalate any more.
    """
    found: list[_Candidate] = []
    again: dict[tuple[str, str, str, str, datetime], list[str]] = {}
    reminders: dict[tuple[str, str, str], set[str]] = {}
    for step in pending:
        key = (step.reason, step.occasion, step.destination)
        reminders.setdefault(key, set()).update(step.subject_ids)
    for (reason, occasion, destination), ids in sorted(reminders.items(), key=lambda item: item[0]):
        for item in still:
            if item.about not in ids or occasion not in (item.event, item.occasion):
                continue
            rule = _listeners(item, policy).get(destination)
            hours = dict(_reminders(rule)).get(reason) if rule else None
            if rule is None or hours is None:
                continue
            if reason == REPEAT:
                found.append(_Candidate(item, destination, rule, REPEAT))
                begin = policy.held_until(rule, item.severity, context.now) or context.now
                due_at = begin + timedelta(hours=hours)
                again.setdefault((reason, occasion, destination, item.subject_kind, due_at), []).append(item.about)
            elif rule.escalate_to:
                found.append(_Candidate(item, rule.escalate_to, rule, ESCALATION))
    steps = [
        Remind(ids, reason, occasion, destination, subject_kind=kind, due_at=due_at)
        for (reason, occasion, destination, kind, due_at), ids in again.items()
    ]
    return _notifications(found, policy, context), steps


def _listeners(item: Notice, policy: Policy) -> dict[str, NotificationRule]:
    """Finds the destinations that the policy names, each with the first rule that does."""
    found: dict[str, NotificationRule] = {}
    for rule in policy.notifications:
        if rule.fits(item.event, item.code, item.severity, item.claim_type, item.zone):
            for destination in rule.destinations:
                found.setdefault(destination, rule)
    return found


def _reminders(rule: NotificationRule) -> Iterator[tuple[str, float]]:
    if rule.repeat_hours is not None:
        yield REPEAT, rule.repeat_hours
    if rule.escalate_to is not None and rule.escalate_after_hours is not None:
        yield ESCALATION, rule.escalate_after_hours


def _candidates(notices: Iterable[Notice], policy: Policy, context: RoutingContext) -> Iterator[_Candidate]:
    for item in notices:
        heard = context.notified.get(item.about, ()) if item.event in ENDINGS else ()
        listeners = _listeners(item, policy)
        for destination in dict.fromkeys([*listeners, *sorted(heard)]):
            yield _Candidate(item, destination, listeners.get(destination), _end_of(item, destination, context))


def _end_of(item: Notice, destination: str, context: RoutingContext) -> str | None:
    """Returns the reason of an ending at a destination that was notified of the beginning."""
    heard = item.event in ENDINGS and destination in context.notified.get(item.about, ())
    return RESOLVED if heard else None


def _notifications(
    candidates: Iterable[_Candidate], policy: Policy, context: RoutingContext
) -> list[Notification]:
    found: dict[tuple[object, ...], Notification] = {}
    for candidate in candidates:
        item, rule = candidate.notice, candidate.rule
        reason, why = _not_sent(candidate, policy, context) or (candidate.reason, "")
        held = policy.held_until(rule, item.severity, context.now) if rule and not why else None
        key = (candidate.destination, item.event, item.code, reason, why, held)
        found.setdefault(key, Notification(candidate.destination, [], reason, why, held)).notices.append(item)
    return list(found.values())


def _not_sent(candidate: _Candidate, policy: Policy, context: RoutingContext) -> tuple[str, str] | None:
    incident = context.incidents.get(candidate.notice.about)
    if incident is not None and candidate.reason != RESOLVED and _hears_of_incidents(candidate, policy):
        return BY_INCIDENT, f"notified by incident {incident}"
    for silence in context.silences:
        if silence.covers(candidate.notice, candidate.destination):
            return BY_SILENCE, silence.reason
    return None


def _hears_of_incidents(candidate: _Candidate, policy: Policy) -> bool:
    """Checks whether the destination is notified of incidents of such claims; if not, it would get nothing."""
    return candidate.destination in _listeners(replace(candidate.notice, event=INCIDENT_OPENED), policy)


def unanswered(claims: Iterable[Claim], incidents: Iterable[Incident], policy: Policy) -> list[Notice]:
    """Finds the notices that still hold and that nobody has acknowledged.

    They are of where a claim stands, which alert its clocks fired last, and that an incident opened or grew.
    """
    found: list[Notice] = []
    for claim in claims:
        if claim.closed_at is None and claim.acknowledged_at is None:
            late = {event_of(claim, alert): alert for alert in ALERTS if _fired(claim, alert)}
            for alert in (None, *late.values()):
                found += of_claims([claim], alert)
    open_ = [it for it in incidents if it.closed_at is None and it.acknowledged_at is None]
    for event in (INCIDENT_OPENED, INCIDENT_GREW):
        found += of_incidents(open_, event, policy)
    return [replace(item, words=item.words + _STILL_OPEN) for item in found]


def _fired(claim: Claim, alert: str) -> bool:
    what, _, clock = alert.removeprefix("sla_").partition(".")
    return f"{clock}.{what}" in claim.sla_alerts
