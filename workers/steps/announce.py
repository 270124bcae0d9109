"""Decides who is told of what happened to claims and incidents, and when."""

from collections.abc import Sequence

from domain.changes import Decision, Step
from domain.notifications.notice import ALERTS, News, of_claims, of_incidents
from domain.notifications.routing import address, follow_ups
from domain.policy import Policy
from domain.ports.store import Clock, Transaction
from workers.services.notifying import Desk


class Announce:
    """The step `announce`: messages at once, or news for the digests of groups that are hot.

    Its subject is the standing of the claims that is news, an alert of their clocks, or an event of incidents.
    """

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._desk = Desk(policy, clock)

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        ours = [step for step in steps if not (step.subject or "").startswith("incident.")]
        news = _of_claims(transaction, ours) if ours else []
        for step in steps:
            if step not in ours:
                incidents = transaction.incidents(step.claim_ids)
                news += of_incidents(incidents, step.subject or "", self._policy)
        situation = self._desk.situation(transaction, [item.about for item in news], news)
        decision = self._desk.dispatch(transaction, address(news, self._policy, situation))
        decision.steps += follow_ups(news, self._policy, situation.now)
        return decision


def _of_claims(transaction: Transaction, steps: Sequence[Step]) -> list[News]:
    owed = {(claim_id, step.subject) for step in steps for claim_id in step.claim_ids}
    claims = transaction.claims([claim_id for claim_id, _ in owed])
    # What a claim has moved on from meanwhile is no news; a later step tells where it stands.
    news = of_claims([claim for claim in claims if (claim.id, claim.standing) in owed])
    for alert in sorted({step.subject for step in steps if step.subject in ALERTS}):
        late = [claim for claim in claims if (claim.id, alert) in owed and claim.closed_at is None]
        news += of_claims(late, alert)
    return news
