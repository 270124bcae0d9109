"""When news is told: the first message of a group at once, what follows in digests, at a growing distance."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from domain.changes import Decision, Step
from domain.notifications.delivery import (
    BY_INCIDENT,
    BY_SILENCE,
    DIGEST,
    FIRST,
    GATHERING,
    PENDING,
    SILENCED,
    SUPPRESSED,
    UPDATE,
    Delivery,
    Gathered,
)
from domain.notifications.group import NewsGroup
from domain.notifications.notice import News, Summary
from domain.notifications.routing import LookedAt, Parcel
from domain.policy import Pace

_NOT_SENT = {BY_SILENCE: SILENCED, BY_INCIDENT: SUPPRESSED}
# Over which a destination's messages are counted.
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Traffic:
    """What is under way: groups by their ids, the deliveries that gather, and when messages of each destination
    are due or were in the last minute, each attempt of each, latest first."""

    groups: dict[str, NewsGroup] = field(default_factory=dict)
    gathering: dict[str, Delivery] = field(default_factory=dict)
    recent: dict[str, list[datetime]] = field(default_factory=dict)


def groups_of(parcels: Iterable[Parcel]) -> list[NewsGroup]:
    """The groups of what is to be sent, as they are when nothing was ever sent."""
    return [_group_of(parcel) for parcel in parcels if parcel.reason not in _NOT_SENT]


def dispatch(
    parcels: Sequence[Parcel], traffic: Traffic, pace: Pace, now: datetime, new_id: Callable[[], str]
) -> Decision:
    """Deliveries to be made now, those that gather, and those that are only logged."""
    decision = Decision()
    for parcel in parcels:
        if parcel.reason in _NOT_SENT:
            decision.deliveries.append(_logged(parcel, now, new_id()))
            continue
        group = traffic.groups[_group_of(parcel).id]
        if parcel.held_until or group.gathering or group.is_hot(now):
            decision.add(_gather(parcel, group, traffic, now, new_id))
        else:
            reason = parcel.reason or (FIRST if group.is_cold(now, pace) else UPDATE)
            delivery = _delivery(parcel, now, new_id(), reason)
            decision.add(_send(delivery, group, traffic, pace, now))
    return _once_each(decision)


def send_digests(
    groups: Iterable[NewsGroup],
    traffic: Traffic,
    pace: Pace,
    now: datetime,
    less: Mapping[str, LookedAt],
    new_id: Callable[[], str],
) -> Decision:
    """Ends the gathering of these groups: each has one message to send, but for what is not told by now.

    `less` has the deliveries of which something is left out; that is only logged, and if nothing is left to tell,
    nothing is sent.
    """
    decision = Decision()
    for group in groups:
        if group.gathering is None:
            continue
        delivery, group.gathering = traffic.gathering[group.gathering], None
        looked = less.get(delivery.id)
        if looked is not None:
            decision.deliveries += _leave_out(delivery, looked, now, new_id)
        if looked is None or looked.told:
            decision.add(_send(delivery, group, traffic, pace, now))
        else:
            decision.groups.append(group)
    return decision


def _leave_out(delivery: Delivery, looked: LookedAt, now: datetime, new_id: Callable[[], str]) -> list[Delivery]:
    """What is logged. The delivery tells of the rest, or is itself the log of what it does not tell."""
    if looked.told:
        delivery.claim_ids, delivery.summary = [], {}
        _take_in(delivery, looked.told)
        return [_logged(parcel, now, new_id()) for parcel in looked.not_sent]
    first, *others = looked.not_sent
    return [_logged(first, now, delivery.id), *(_logged(parcel, now, new_id()) for parcel in others)]


def retry(deliveries: Iterable[Delivery], traffic: Traffic, pace: Pace, now: datetime) -> Decision:
    """Messages that are to be sent once more wait their turn like any other; each attempt takes a place."""
    decision = Decision()
    for delivery in deliveries:
        if delivery.status == PENDING:
            before = [*delivery.tried_at, *([delivery.due_at] if delivery.due_at else [])]
            delivery.tried_at = [moment for moment in before if moment > now - MINUTE]
            decision.add(_due(delivery, traffic, pace, now))
    return decision


def _group_of(parcel: Parcel) -> NewsGroup:
    first = parcel.news[0]
    key = (parcel.destination, first.event, first.code, "held" if parcel.held_until else "")
    group_id = UUID(bytes=blake2b(repr(key).encode(), digest_size=16).digest())
    return NewsGroup(str(group_id), *key[:3], held=parcel.held_until is not None)


def _delivery(parcel: Parcel, now: datetime, delivery_id: str, reason: str) -> Delivery:
    first = parcel.news[0]
    delivery = Delivery(
        delivery_id, parcel.destination, first.event, code=first.code, reason=reason, created_at=now
    )
    _take_in(delivery, parcel.news)
    return delivery


def _take_in(delivery: Delivery, news: Sequence[News]) -> None:
    summary = Summary(**delivery.summary)
    summary.add(news, delivery.claim_ids)
    delivery.claim_ids = list(dict.fromkeys([*delivery.claim_ids, *(item.about for item in news)]))
    delivery.title, delivery.body, delivery.summary = summary.title, summary.body, asdict(summary)


def _logged(parcel: Parcel, now: datetime, delivery_id: str) -> Delivery:
    delivery = _delivery(parcel, now, delivery_id, parcel.reason or "")
    delivery.status, delivery.answer, delivery.finished_at = _NOT_SENT[delivery.reason], parcel.why, now
    return delivery


def _send(delivery: Delivery, group: NewsGroup, traffic: Traffic, pace: Pace, now: datetime) -> Decision:
    group.messages = 1 if group.is_cold(now, pace) else group.messages + 1
    group.hot_until = now + pace.delay(group.messages)
    delivery.status = PENDING
    decision = _due(delivery, traffic, pace, now)
    decision.groups.append(group)
    return decision


def _due(delivery: Delivery, traffic: Traffic, pace: Pace, now: datetime) -> Decision:
    delivery.due_at = _turn(traffic.recent.setdefault(delivery.destination, []), pace, now)
    # At once is by the database's clock, whose present a clock of ours may be ahead of.
    due_at = delivery.due_at if delivery.due_at > now else None
    step = Step("deliver", delivery.claim_ids, due_at, subject=delivery.id)
    return Decision(deliveries=[delivery], steps=[step])


def _turn(recent: list[datetime], pace: Pace, now: datetime) -> datetime:
    """When the destination has room for one more message."""
    full = len(recent) >= pace.per_minute
    due_at = max(now, recent[pace.per_minute - 1] + MINUTE) if full else now
    recent.insert(0, due_at)
    return due_at


def _gather(
    parcel: Parcel, group: NewsGroup, traffic: Traffic, now: datetime, new_id: Callable[[], str]
) -> Decision:
    if group.gathering is not None:
        delivery = traffic.gathering[group.gathering]
        _take_in(delivery, parcel.news)
        if parcel.reason != delivery.reason:
            delivery.reason = DIGEST
        return Decision(deliveries=[delivery], gathered=_kept(delivery, parcel))
    delivery = _delivery(parcel, now, new_id(), parcel.reason or DIGEST)
    delivery.status, delivery.due_at = GATHERING, parcel.held_until or group.hot_until
    group.gathering = delivery.id
    traffic.gathering[delivery.id] = delivery
    step = Step("digest", due_at=delivery.due_at, subject=delivery.id)
    return Decision(groups=[group], deliveries=[delivery], gathered=_kept(delivery, parcel), steps=[step])


def _kept(delivery: Delivery, parcel: Parcel) -> list[Gathered]:
    return [Gathered(delivery.id, asdict(item)) for item in parcel.news]


def _once_each(decision: Decision) -> Decision:
    """Two parcels may meet in one group, and a statement writes no row twice."""
    decision.groups = list({group.id: group for group in decision.groups}.values())
    decision.deliveries = list({delivery.id: delivery for delivery in decision.deliveries}.values())
    return decision
