"""Routes verified claims to the people who may approve them."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.claims.approval import route
from domain.claims.sla import Policies, by_policy
from domain.policy.policy import Policy
from domain.ports.store import Clock, Transaction
from domain.steps import Route


class Router:
    """Routes claims by the policy that bound each."""

    def __init__(self, policy: Policy, clock: Clock, policies: Policies) -> None:
        self._policy = policy
        self._policies = policies
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Route]) -> Changes:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.subject_ids])
        whole = Changes()
        for policy, group in by_policy(claims, self._policy, self._policies):
            whole.add(route(group, policy, self._clock()))
        return whole
