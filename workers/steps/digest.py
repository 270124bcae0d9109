"""Sends what groups of news have gathered."""

from collections.abc import Sequence

from domain.changes import Decision, Step
from domain.policy import Policy
from domain.ports.store import Clock, Transaction
from workers.services.notifying import Desk


class Digest:
    """The step `digest`. Its subject is the delivery that gathers."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._desk = Desk(policy, clock)

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        return self._desk.send_digests(transaction, [step.subject for step in steps if step.subject])
