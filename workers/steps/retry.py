"""Schedules the next attempts of deliveries."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.policy.policy import Policy
from domain.ports.store import Clock, Transaction
from domain.steps import Retry
from workers.services.notifying import Dispatcher


class Retrier:
    """Schedules attempts of failed or resent deliveries under the rate limit."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._dispatcher = Dispatcher(policy, clock)

    def __call__(self, transaction: Transaction, steps: Sequence[Retry]) -> Changes:
        return self._dispatcher.retry(transaction, [one for step in steps for one in step.subject_ids])
