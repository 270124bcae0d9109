"""Opens stages that are late to the next authority."""

from collections.abc import Sequence

from domain.approval import escalate
from domain.decision import Decision, Step
from domain.ports import Clock, Transaction


class Escalate:
    """The step `escalate`. Its subject is the standing in which the claims were to be decided by now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        expected = {claim_id: step.subject or "" for step in steps for claim_id in step.claim_ids}
        claims = transaction.claims(list(expected))
        return escalate([(claim, expected[claim.id]) for claim in claims], self._clock())
