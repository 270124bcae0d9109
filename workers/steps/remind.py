"""Tells again what nobody has acknowledged, or tells the next destination."""

from collections.abc import Sequence

from domain.announcement import remind
from domain.decision import Decision, Step
from domain.policy import Policy
from domain.ports import Clock, Transaction
from workers.steps.tell import Desk


class Remind:
    """The step `remind`: its subject says whether to repeat or to escalate what, and to whom it was told."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._desk = Desk(policy, clock)

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        owed = {(claim_id, step.subject) for step in steps if step.subject for claim_id in step.claim_ids}
        claims = transaction.claims([claim_id for claim_id, _ in owed])
        situation = self._desk.situation(transaction, [claim.id for claim in claims])
        parcels, again = remind(claims, owed, self._policy, situation)
        decision = self._desk.dispatch(transaction, parcels)
        decision.steps += again
        return decision
