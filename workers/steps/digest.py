"""Sends what notification groups have collected."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.policy.policy import Policy
from domain.ports.store import Clock, Transaction
from domain.steps import SendDigest
from workers.services.notifying import Dispatcher


class DigestSender:
    """Sends the digests of deliveries that collect."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._dispatcher = Dispatcher(policy, clock)

    def __call__(self, transaction: Transaction, steps: Sequence[SendDigest]) -> Changes:
        return self._dispatcher.send_digests(transaction, [one for step in steps for one in step.subject_ids])
