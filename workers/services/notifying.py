"""Routes, groups and records notices for every step that notifies."""

from collections.abc import Sequence
from datetime import datetime

from domain.changes import Changes
from domain.identifiers import new_claim_id
from domain.notifications.delivery import Delivery
from domain.notifications.group import NotificationGroup
from domain.notifications.grouping import MINUTE, Traffic, dispatch, groups_of, retry, send_digests
from domain.notifications.notice import ENDINGS, Notice
from domain.notifications.routing import Notification, Reviewed, RoutingContext, review
from domain.policy.policy import Policy
from domain.ports.store import Clock, Transaction


class Dispatcher:
    """Groups notifications within a transaction.

    Locks come in one order: claims, groups, collecting deliveries, destinations.
    """

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._groups = policy.pace
        self._clock = clock

    def context(
        self, transaction: Transaction, about: Sequence[str], notices: Sequence[Notice] = ()
    ) -> RoutingContext:
        """Reads what routing the notices of these claims or incidents depends on."""
        now = self._clock()
        ended = [item.about for item in notices if item.event in ENDINGS]
        return RoutingContext(
            now,
            transaction.silences(now),
            transaction.incidents_of(about),
            transaction.notified(ended) if ended else {},
        )

    def dispatch(self, transaction: Transaction, notifications: Sequence[Notification]) -> Changes:
        """Makes the deliveries that go now, that collect, or that are only logged."""
        wanted = groups_of(notifications)
        traffic = self._traffic(transaction, transaction.notification_groups(wanted)) if wanted else Traffic()
        return dispatch(notifications, traffic, self._groups, self._clock(), new_claim_id)

    def send_digests(self, transaction: Transaction, delivery_ids: Sequence[str]) -> Changes:
        """Sends the digests of these deliveries; others have been sent already."""
        groups = transaction.collecting(delivery_ids)
        if not groups:
            return Changes()
        traffic = self._traffic(transaction, groups)
        reviewed = self._review(transaction, list(traffic.collecting.values()))
        return send_digests(groups, traffic, self._groups, self._clock(), reviewed, new_claim_id)

    def _review(self, transaction: Transaction, deliveries: Sequence[Delivery]) -> dict[str, Reviewed]:
        """Returns the deliveries from which something is left out."""
        collected = transaction.take_collected([delivery.id for delivery in deliveries])
        notices = [item for items in collected.values() for item in items]
        context = self.context(transaction, list({item.about for item in notices}), notices)
        reviewed = {
            delivery.id: review(collected[delivery.id], delivery.destination, self._policy, context)
            for delivery in deliveries
            # A delivery that began to collect before notices were stored is sent as it is.
            if {item.about for item in collected.get(delivery.id, ())} == set(delivery.subject_ids)
        }
        return {delivery_id: it for delivery_id, it in reviewed.items() if it.not_sent}

    def retry(self, transaction: Transaction, delivery_ids: Sequence[str]) -> Changes:
        """Schedules the next attempts of these failed deliveries."""
        deliveries = transaction.deliveries(delivery_ids)
        traffic = Traffic(recent=self._recent(transaction, [it.destination for it in deliveries]))
        return retry(deliveries, traffic, self._groups, self._clock())

    def _traffic(self, transaction: Transaction, groups: Sequence[NotificationGroup]) -> Traffic:
        collecting = transaction.deliveries([group.collecting for group in groups if group.collecting])
        return Traffic(
            groups={group.id: group for group in groups},
            collecting={delivery.id: delivery for delivery in collecting},
            recent=self._recent(transaction, [group.destination for group in groups]),
        )

    def _recent(self, transaction: Transaction, destinations: Sequence[str]) -> dict[str, list[datetime]]:
        return transaction.recent_deliveries(destinations, self._clock() - MINUTE, self._groups.per_minute)
