"""Who is told what: news in parcels, one for each destination, event and error, and why some are not sent."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from domain.changes import Step
from domain.claims.claim import Claim
from domain.incidents.incident import Incident
from domain.notifications.delivery import BY_INCIDENT, BY_SILENCE, ESCALATION, REPEAT, RESOLVED
from domain.notifications.notice import (
    ALERTS,
    ENDINGS,
    INCIDENT_GREW,
    INCIDENT_OPENED,
    News,
    event_of,
    of_claims,
    of_incidents,
)
from domain.notifications.silence import Silence
from domain.policy import NotificationRule, Policy

_STILL_OPEN = ", and nobody has acknowledged it"


@dataclass(frozen=True, slots=True)
class Situation:
    """What else must be known: the silences at this moment, which claims belong to an open incident (its id), and
    which destinations were told of claims or incidents before."""

    now: datetime
    silences: Sequence[Silence] = ()
    incidents: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Parcel:
    """News of one event and error for one destination.

    Without a `reason` the pace of its group gives it one. What is not sent says `why`. Quiet hours hold it until
    `held_until`.
    """

    destination: str
    news: list[News]
    reason: str | None = None
    why: str = ""
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LookedAt:
    """Gathered news, looked at again when its digest goes: what is told, and parcels of what is not any more."""

    told: list[News]
    not_sent: list[Parcel]


@dataclass(frozen=True, slots=True)
class _Letter:
    """One item of news for one destination, and the rule that sends it there; none for the end of a story."""

    news: News
    destination: str
    rule: NotificationRule | None
    reason: str | None = None


def address(news: Iterable[News], policy: Policy, situation: Situation) -> list[Parcel]:
    """Parcels for everybody whom the policy names, and the end of a story for whoever heard its beginning.

    Claims under an open incident are not told by themselves to whoever is told of incidents, but for their end.
    """
    return _parcels(_letters(news, policy, situation), policy, situation)


def look_again(news: Sequence[News], destination: str, policy: Policy, situation: Situation) -> LookedAt:
    """Leaves out what has been silenced, or has come under an incident, since it began to wait for its digest."""
    letters = [_Letter(item, destination, None, _end_of(item, destination, situation)) for item in news]
    not_sent = [parcel for parcel in _parcels(letters, policy, situation) if parcel.why]
    return LookedAt([it.news for it in letters if not _not_sent(it, policy, situation)], not_sent)


def follow_ups(news: Iterable[News], policy: Policy, now: datetime) -> list[Step]:
    """The steps `remind` of what is told by rules that repeat or escalate. Their subjects say what, to whom."""
    owed: dict[tuple[str, datetime], list[str]] = {}
    for item in news:
        for destination, rule in _listeners(item, policy).items():
            begin = policy.held_until(rule, item.severity, now) or now
            for reason, hours in _reminders(rule):
                # What grows again is repeated anew; whoever is told next is told of each time.
                what = item.occasion if reason == REPEAT else item.event
                key = f"{reason}|{what}|{destination}", begin + timedelta(hours=hours)
                owed.setdefault(key, []).append(item.about)
    return [Step("remind", ids, due_at, subject) for (subject, due_at), ids in owed.items()]


def remind(
    still: Sequence[News], owed: Collection[tuple[str, str]], policy: Policy, situation: Situation
) -> tuple[list[Parcel], list[Step]]:
    """Parcels for what nobody has acknowledged, and the steps that repeat them again.

    `owed` has the id of a claim or an incident and the subject of its step. What is not `unanswered` still is
    left alone; so is what the policy does not repeat or escalate any more.
    """
    letters: list[_Letter] = []
    again: dict[tuple[str, datetime], list[str]] = {}
    for subject in sorted({subject for _, subject in owed}):
        reason, what, destination = subject.split("|", 2)
        for item in still:
            if (item.about, subject) not in owed or what not in (item.event, item.occasion):
                continue
            rule = _listeners(item, policy).get(destination)
            hours = dict(_reminders(rule)).get(reason) if rule else None
            if rule is None or hours is None:
                continue
            if reason == REPEAT:
                letters.append(_Letter(item, destination, rule, REPEAT))
                begin = policy.held_until(rule, item.severity, situation.now) or situation.now
                again.setdefault((subject, begin + timedelta(hours=hours)), []).append(item.about)
            elif rule.escalate_to:
                letters.append(_Letter(item, rule.escalate_to, rule, ESCALATION))
    steps = [Step("remind", ids, due_at, subject) for (subject, due_at), ids in again.items()]
    return _parcels(letters, policy, situation), steps


def _listeners(item: News, policy: Policy) -> dict[str, NotificationRule]:
    """Whom the policy names, each with the first rule that does."""
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


def _letters(news: Iterable[News], policy: Policy, situation: Situation) -> Iterator[_Letter]:
    for item in news:
        told = situation.told.get(item.about, ()) if item.event in ENDINGS else ()
        listeners = _listeners(item, policy)
        for destination in dict.fromkeys([*listeners, *sorted(told)]):
            yield _Letter(item, destination, listeners.get(destination), _end_of(item, destination, situation))


def _end_of(item: News, destination: str, situation: Situation) -> str | None:
    """The end of a story is told to whoever heard its beginning."""
    heard = item.event in ENDINGS and destination in situation.told.get(item.about, ())
    return RESOLVED if heard else None


def _parcels(letters: Iterable[_Letter], policy: Policy, situation: Situation) -> list[Parcel]:
    parcels: dict[tuple[object, ...], Parcel] = {}
    for letter in letters:
        item, rule = letter.news, letter.rule
        reason, why = _not_sent(letter, policy, situation) or (letter.reason, "")
        held = policy.held_until(rule, item.severity, situation.now) if rule and not why else None
        key = (letter.destination, item.event, item.code, reason, why, held)
        parcels.setdefault(key, Parcel(letter.destination, [], reason, why, held)).news.append(item)
    return list(parcels.values())


def _not_sent(letter: _Letter, policy: Policy, situation: Situation) -> tuple[str, str] | None:
    incident = situation.incidents.get(letter.news.about)
    if incident is not None and letter.reason != RESOLVED and _hears_of_incidents(letter, policy):
        return BY_INCIDENT, f"told by incident {incident}"
    for silence in situation.silences:
        if silence.covers(letter.news, letter.destination):
            return BY_SILENCE, silence.told
    return None


def _hears_of_incidents(letter: _Letter, policy: Policy) -> bool:
    """Whether the destination is told of incidents of claims like this; if not, it would hear nothing."""
    return letter.destination in _listeners(replace(letter.news, event=INCIDENT_OPENED), policy)


def unanswered(claims: Iterable[Claim], incidents: Iterable[Incident], policy: Policy) -> list[News]:
    """What was told of them, is still the case, and nobody has acknowledged: where a claim stands, what its clocks
    ran past last, that an incident opened and grew."""
    found: list[News] = []
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
