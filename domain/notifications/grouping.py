"""Groups notifications: the first goes at once, the others in digests.

The digests of a group come at growing intervals.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID

from domain.changes import Changes
from domain.notifications.delivery import (
    BY_INCIDENT,
    BY_SILENCE,
    COLLECTING,
    DIGEST,
    FIRST,
    PENDING,
    SILENCED,
    SUPPRESSED,
    UPDATE,
    Collected,
    Delivery,
)
from domain.notifications.group import NotificationGroup
from domain.notifications.notice import Notice, Summary
from domain.notifications.routing import Notification, Reviewed
from domain.policy.policy import GroupPolicy
from domain.steps import Deliver, SendDigest

_NOT_SENT: Final = {BY_SILENCE: SILENCED, BY_INCIDENT: SUPPRESSED}
# The time over which the rate limit counts the messages of a destination.
MINUTE: Final = timedelta(minutes=1)


@dataclass(slots=True)
class Traffic:
    """The present load: groups, collecting deliveries, and recent messages.

    Groups and deliveries are by their ids. `recent` has for each destination when its messages are due or were in
    the last minute, each attempt of each, latest first.
    """

    groups: dict[str, NotificationGroup] = field(default_factory=dict)
    collecting: dict[str, Delivery] = field(default_factory=dict)
    recent: dict[str, list[datetime]] = field(default_factory=dict)


def groups_of(notifications: Iterable[Notification]) -> list[NotificationGroup]:
    """Returns the idle groups of the notifications that are to be sent.

    The store returns them as they are, if it has them.
    """
    return [_group_of(it) for it in notifications if it.reason not in _NOT_SENT]


def dispatch(
    notifications: Sequence[Notification],
    traffic: Traffic,
    policy: GroupPolicy,
    now: datetime,
    new_id: Callable[[], str],
) -> Changes:
    """Makes the deliveries that go now, that collect, or that are only logged."""
    changes = Changes()
    for item in notifications:
        if item.reason in _NOT_SENT:
            changes.put(_logged(item, now, new_id()))
            continue
        group = traffic.groups[_group_of(item).id]
        if item.held_until or group.collecting or group.is_open(now):
            _collect(changes, item, group, traffic, now, new_id)
        else:
            reason = item.reason or (FIRST if group.is_idle(now, policy) else UPDATE)
            _send(changes, _delivery(item, now, new_id(), reason), group, traffic, policy, now)
    return changes


def send_digests(
    groups: Iterable[NotificationGroup],
    traffic: Traffic,
    policy: GroupPolicy,
    now: datetime,
    reviewed: Mapping[str, Reviewed],
    new_id: Callable[[], str],
) -> Changes:
    """Sends the digests of groups, and closes their collecting deliveries.

    `reviewed` has the deliveries from which something is left out: that is only logged, and if nothing remains,
    nothing is sent.
    """
    changes = Changes()
    for group in groups:
        if group.collecting is None:
            continue
        delivery, group.collecting = traffic.collecting[group.collecting], None
        review = reviewed.get(delivery.id)
        if review is not None:
            changes.put(*_leave_out(delivery, review, now, new_id))
        if review is None or review.sent:
            _send(changes, delivery, group, traffic, policy, now)
        else:
            changes.put(group)
    return changes


def _leave_out(delivery: Delivery, review: Reviewed, now: datetime, new_id: Callable[[], str]) -> list[Delivery]:
    """Returns the deliveries that log what is left out.

    The delivery keeps the rest, or is itself the log of what is left out.
    """
    if review.sent:
        delivery.subject_ids, delivery.summary = [], {}
        _take_in(delivery, review.sent)
        return [_logged(item, now, new_id()) for item in review.not_sent]
    first, *others = review.not_sent
    return [_logged(first, now, delivery.id), *(_logged(item, now, new_id()) for item in others)]


def retry(deliveries: Iterable[Delivery], traffic: Traffic, policy: GroupPolicy, now: datetime) -> Changes:
    """Schedules deliveries' next attempts under the rate limit; each attempt counts."""
    changes = Changes()
    for delivery in deliveries:
        if delivery.status == PENDING:
            before = [*delivery.tried_at, *([delivery.due_at] if delivery.due_at else [])]
            delivery.tried_at = [moment for moment in before if moment > now - MINUTE]
            _schedule(changes, delivery, traffic, policy, now)
    return changes


def _group_of(item: Notification) -> NotificationGroup:
    first = item.notices[0]
    key = (item.destination, first.event, first.code, "held" if item.held_until else "")
    group_id = UUID(bytes=blake2b(repr(key).encode(), digest_size=16).digest())
    return NotificationGroup(str(group_id), *key[:3], held=item.held_until is not None)


def _delivery(item: Notification, now: datetime, delivery_id: str, reason: str) -> Delivery:
    first = item.notices[0]
    delivery = Delivery(
        delivery_id,
        item.destination,
        first.event,
        code=first.code,
        reason=reason,
        created_at=now,
        subject_kind=first.subject_kind,
    )
    _take_in(delivery, item.notices)
    return delivery


def _take_in(delivery: Delivery, notices: Sequence[Notice]) -> None:
    summary = Summary(**delivery.summary)
    summary.add(notices, delivery.subject_ids)
    delivery.subject_ids = list(dict.fromkeys([*delivery.subject_ids, *(item.about for item in notices)]))
    delivery.title, delivery.body, delivery.summary = summary.title, summary.body, asdict(summary)


def _logged(item: Notification, now: datetime, delivery_id: str) -> Delivery:
    delivery = _delivery(item, now, delivery_id, item.reason or "")
    delivery.status, delivery.answer, delivery.finished_at = _NOT_SENT[delivery.reason], item.why, now
    return delivery


def _send(
    changes: Changes,
    delivery: Delivery,
    group: NotificationGroup,
    traffic: Traffic,
    policy: GroupPolicy,
    now: datetime,
) -> None:
    group.messages = 1 if group.is_idle(now, policy) else group.messages + 1
    group.open_until = now + policy.delay(group.messages)
    delivery.status = PENDING
    _schedule(changes, delivery, traffic, policy, now)
    changes.put(group)


def _schedule(changes: Changes, delivery: Delivery, traffic: Traffic, policy: GroupPolicy, now: datetime) -> None:
    delivery.due_at = _turn(traffic.recent.setdefault(delivery.destination, []), policy, now)
    # At once is by the database's clock, and ours may be ahead of it.
    due_at = delivery.due_at if delivery.due_at > now else None
    changes.put(delivery, Deliver([delivery.id], delivery.destination, due_at=due_at))


def _turn(recent: list[datetime], policy: GroupPolicy, now: datetime) -> datetime:
    """Finds when the rate limit has room for one more message to the destination."""
    full = len(recent) >= policy.per_minute
    due_at = max(now, recent[policy.per_minute - 1] + MINUTE) if full else now
    recent.insert(0, due_at)
    return due_at


def _collect(
    changes: Changes,
    item: Notification,
    group: NotificationGroup,
    traffic: Traffic,
    now: datetime,
    new_id: Callable[[], str],
) -> None:
    if group.collecting is not None:
        delivery = traffic.collecting[group.collecting]
        _take_in(delivery, item.notices)
        if item.reason != delivery.reason:
            delivery.reason = DIGEST
    else:
        delivery = _delivery(item, now, new_id(), item.reason or DIGEST)
        delivery.status, delivery.due_at = COLLECTING, item.held_until or group.open_until
        group.collecting = delivery.id
        traffic.collecting[delivery.id] = delivery
        changes.put(group, SendDigest([delivery.id], due_at=delivery.due_at))
    changes.put(delivery, *(Collected(delivery.id, asdict(notice)) for notice in item.notices))
