"""Escalates claims with a late stage to the next authority."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.claims.approval import escalate
from domain.claims.sla import Policies, by_policy
from domain.policy.policy import Policy
from domain.ports.store import Clock, Transaction
from domain.steps import Escalate
from workers.services.evidence import lacking


class Escalator:
    """Escalates the claims that still have the state key of their step."""

    def __init__(self, policy: Policy, clock: Clock, policies: Policies) -> None:
        self._policy = policy
        self._policies = policies
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Escalate]) -> Changes:
        expected = {claim_id: step.state_key for step in steps for claim_id in step.subject_ids}
        claims = transaction.claims(list(expected))
        lacks = lacking(transaction, by_policy(claims, self._policy, self._policies))
        return escalate([(claim, expected[claim.id]) for claim in claims], self._clock(), lacks)
