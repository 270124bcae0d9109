"""Tells again what nobody has acknowledged, or tells the next destination."""

from collections.abc import Sequence

from domain.changes import Decision, Step
from domain.notifications.routing import remind, unanswered
from domain.policy import Policy
from domain.ports.store import Clock, Transaction
from workers.services.notifying import Desk


class Remind:
    """The step `remind`: its subject says whether to repeat or to escalate what, and to whom it was told."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._desk = Desk(policy, clock)

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        owed = {(about, step.subject) for step in steps if step.subject for about in step.claim_ids}
        ids = list({about for about, _ in owed})
        claims = transaction.claims(ids)
        incidents = transaction.incidents(ids) if len(claims) < len(ids) else []
        still = unanswered(claims, incidents, self._policy)
        situation = self._desk.situation(transaction, [claim.id for claim in claims])
        parcels, again = remind(still, owed, self._policy, situation)
        decision = self._desk.dispatch(transaction, parcels)
        decision.steps += again
        return decision
