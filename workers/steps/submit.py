"""Ends the hold-down: what still stands becomes a claim."""

from collections.abc import Sequence

from domain.decision import Decision, Step
from domain.opening import submit
from domain.ports import Clock, Transaction


class Submit:
    """The step `submit`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.claim_ids])
        return submit(claims, self._clock())
