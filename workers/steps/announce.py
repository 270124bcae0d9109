"""Decides who is told of what happened to claims."""

from collections.abc import Sequence

from domain.announcement import ALERTS, announce
from domain.decision import Decision, Step
from domain.identifiers import new_claim_id
from domain.policy import Policy
from domain.ports import Clock, Transaction


class Announce:
    """The step `announce`: deliveries, one for each destination and kind of news."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        news = {(claim_id, step.subject) for step in steps for claim_id in step.claim_ids}
        claims = transaction.claims([claim_id for claim_id, _ in news])
        # What a claim has moved on from meanwhile is no news; a later step tells where it stands.
        current = [claim for claim in claims if (claim.id, claim.standing) in news]
        whole = announce(current, self._policy, self._clock(), new_claim_id)
        for alert in sorted({step.subject for step in steps if step.subject in ALERTS}):
            late = [claim for claim in claims if (claim.id, alert) in news and claim.closed_at is None]
            part = announce(late, self._policy, self._clock(), new_claim_id, alert)
            whole.deliveries += part.deliveries
            whole.steps += part.steps
        return whole
