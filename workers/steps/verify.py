"""Checks claims against what their spots really did."""

from collections.abc import Sequence

from domain.decision import Decision, Step
from domain.eligibility import verify
from domain.policy import Policy
from domain.ports import Clock, Transaction


class Verify:
    """The step `verify`: one verdict for every claim that still waits for one."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.claim_ids])
        return verify(transaction.cases(claims), self._policy, self._clock())
