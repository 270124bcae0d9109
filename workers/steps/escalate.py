"""Opens stages that are late to the next authority."""

from collections.abc import Sequence

from domain.changes import Decision, Step
from domain.claims.approval import escalate
from domain.claims.sla import Policies, by_policy
from domain.policy import Policy
from domain.ports.store import Clock, Transaction
from workers.services.evidence import lacking


class Escalate:
    """The step `escalate`. Its subject is the standing in which the claims were to be decided by now."""

    def __init__(self, policy: Policy, clock: Clock, policies: Policies) -> None:
        self._policy = policy
        self._policies = policies
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        expected = {claim_id: step.subject or "" for step in steps for claim_id in step.claim_ids}
        claims = transaction.claims(list(expected))
        lacks = lacking(transaction, by_policy(claims, self._policy, self._policies))
        return escalate([(claim, expected[claim.id]) for claim in claims], self._clock(), lacks)
