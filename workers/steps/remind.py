"""Repeats notices that nobody has acknowledged, or escalates them."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.notifications.routing import remind, unanswered
from domain.policy.policy import Policy
from domain.ports.store import Clock, Transaction
from domain.steps import CLAIM, Remind
from workers.services.notifying import Dispatcher


class Reminder:
    """Repeats or escalates the notices that still hold."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._dispatcher = Dispatcher(policy, clock)

    def __call__(self, transaction: Transaction, steps: Sequence[Remind]) -> Changes:
        claim_ids = {one for step in steps if step.subject_kind == CLAIM for one in step.subject_ids}
        incident_ids = {one for step in steps if step.subject_kind != CLAIM for one in step.subject_ids}
        claims = transaction.claims(list(claim_ids)) if claim_ids else []
        incidents = transaction.incidents(list(incident_ids)) if incident_ids else []
        still = unanswered(claims, incidents, self._policy)
        context = self._dispatcher.context(transaction, [claim.id for claim in claims])
        notifications, again = remind(still, steps, self._policy, context)
        changes = self._dispatcher.dispatch(transaction, notifications)
        changes.put(*again)
        return changes
