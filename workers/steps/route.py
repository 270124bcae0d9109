"""Sends verified claims to whoever may approve them."""

from collections.abc import Sequence

from domain.changes import Decision, Step
from domain.claims.approval import route
from domain.claims.sla import Policies, by_policy
from domain.policy import Policy
from domain.ports.store import Clock, Transaction


class Route:
    """The step `route`, by the policy that bound each claim."""

    def __init__(self, policy: Policy, clock: Clock, policies: Policies) -> None:
        self._policy = policy
        self._policies = policies
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.claim_ids])
        whole = Decision()
        for policy, group in by_policy(claims, self._policy, self._policies):
            whole.add(route(group, policy, self._clock()))
        return whole
