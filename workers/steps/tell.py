"""What every step that tells people does alike: address the news, pace it, and record what follows."""

from collections.abc import Sequence

from domain.announcement import Parcel, Situation
from domain.decision import Decision
from domain.delivery import Delivery
from domain.identifiers import new_claim_id
from domain.news import ENDINGS, News
from domain.news_group import NewsGroup
from domain.pacing import Traffic, dispatch, groups_of, send_digests
from domain.policy import Policy
from domain.ports import Clock, Transaction


class Desk:
    """Paces parcels within a transaction. Locks come in one order: claims, groups, what gathers, destinations."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
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
        return send_digests(groups, self._traffic(transaction, groups), self._pace, self._clock())

    def _traffic(self, transaction: Transaction, groups: Sequence[NewsGroup]) -> Traffic:
        gathering: list[Delivery] = transaction.deliveries([g.gathering for g in groups if g.gathering])
        destinations = [group.destination for group in groups]
        return Traffic(
            groups={group.id: group for group in groups},
            gathering={delivery.id: delivery for delivery in gathering},
            recent=transaction.recent_deliveries(destinations, self._pace.per_minute),
        )
