"""Sends verified claims to whoever may approve them."""

from collections.abc import Sequence

from domain.approval import route
from domain.decision import Decision, Step
from domain.policy import Policy
from domain.ports import Clock, Transaction


class Route:
    """The step `route`."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.claim_ids])
        return route(claims, self._policy, self._clock())
