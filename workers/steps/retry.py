"""Gives messages that are to be sent once more their turns."""

from collections.abc import Sequence

from domain.changes import Decision, Step
from domain.policy import Policy
from domain.ports.store import Clock, Transaction
from workers.services.notifying import Desk


class Retry:
    """The step `retry`. Its subject is a delivery that failed, or that somebody wants sent again."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._desk = Desk(policy, clock)

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        return self._desk.retry(transaction, [step.subject for step in steps if step.subject])
