"""Decides who is told of what happened to claims."""

from collections.abc import Sequence

from domain.announcement import announce
from domain.decision import Decision, Step
from domain.identifiers import new_claim_id
from domain.policy import Policy
from domain.ports import Clock, Transaction


class Announce:
    """The step `announce`: deliveries, one for each destination and kind of news."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.claim_ids])
        return announce(claims, self._policy, self._clock(), new_claim_id)
