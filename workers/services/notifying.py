"""What every step that tells people does alike: address the news, pace it, and record what follows."""

from collections.abc import Sequence
from datetime import datetime

from domain.changes import Decision
from domain.identifiers import new_claim_id
from domain.notifications.delivery import Delivery
from domain.notifications.group import NewsGroup
from domain.notifications.grouping import MINUTE, Traffic, dispatch, groups_of, retry, send_digests
from domain.notifications.notice import ENDINGS, News
from domain.notifications.routing import LookedAt, Parcel, Situation, look_again
from domain.policy import Policy
from domain.ports.store import Clock, Transaction


class Desk:
    """Paces parcels within a transaction. Locks come in one order: claims, groups, what gathers, destinations."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._pace = policy.pace
        self._clock = clock

    def situation(self, transaction: Transaction, about: Sequence[str], news: Sequence[News] = ()) -> Situation:
        """What must be known to address news of these claims or incidents."""
        now = self._clock()
        ended = [item.about for item in news if item.event in ENDINGS]
        return Situation(
            now,
            transaction.silences(now),
            transaction.incidents_of(about),
            transaction.told(ended) if ended else {},
        )

    def dispatch(self, transaction: Transaction, parcels: Sequence[Parcel]) -> Decision:
        """Messages now, digests later, and what is only logged."""
        wanted = groups_of(parcels)
        traffic = self._traffic(transaction, transaction.news_groups(wanted)) if wanted else Traffic()
        return dispatch(parcels, traffic, self._pace, self._clock(), new_claim_id)

    def send_digests(self, transaction: Transaction, delivery_ids: Sequence[str]) -> Decision:
        """Ends the gathering of these deliveries; others have been sent on."""
        groups = transaction.gathering(delivery_ids)
        if not groups:
            return Decision()
        traffic = self._traffic(transaction, groups)
        less = self._look_again(transaction, list(traffic.gathering.values()))
        return send_digests(groups, traffic, self._pace, self._clock(), less, new_claim_id)

    def _look_again(self, transaction: Transaction, deliveries: Sequence[Delivery]) -> dict[str, LookedAt]:
        """Those of which something is left out. What began to gather before its news was kept is told as it is."""
        gathered = transaction.take_gathered([delivery.id for delivery in deliveries])
        news = [item for items in gathered.values() for item in items]
        situation = self.situation(transaction, list({item.about for item in news}), news)
        looked = {
            delivery.id: look_again(gathered[delivery.id], delivery.destination, self._policy, situation)
            for delivery in deliveries
            if {item.about for item in gathered.get(delivery.id, ())} == set(delivery.claim_ids)
        }
        return {delivery_id: it for delivery_id, it in looked.items() if it.not_sent}

    def retry(self, transaction: Transaction, delivery_ids: Sequence[str]) -> Decision:
        """Gives these deliveries, which came to nothing so far, their turns to be made once more."""
        deliveries = transaction.deliveries(delivery_ids)
        traffic = Traffic(recent=self._recent(transaction, [it.destination for it in deliveries]))
        return retry(deliveries, traffic, self._pace, self._clock())

    def _traffic(self, transaction: Transaction, groups: Sequence[NewsGroup]) -> Traffic:
        gathering: list[Delivery] = transaction.deliveries([g.gathering for g in groups if g.gathering])
        return Traffic(
            groups={group.id: group for group in groups},
            gathering={delivery.id: delivery for delivery in gathering},
            recent=self._recent(transaction, [group.destination for group in groups]),
        )

    def _recent(self, transaction: Transaction, destinations: Sequence[str]) -> dict[str, list[datetime]]:
        return transaction.recent_deliveries(destinations, self._clock() - MINUTE, self._pace.per_minute)
