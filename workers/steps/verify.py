"""Verifies claims against what their spots recorded."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.claims.lifecycle import JUDGED
from domain.claims.sla import Policies, by_policy
from domain.eligibility.verify import verify
from domain.policy.policy import Policy
from domain.ports.store import Clock, Transaction
from domain.steps import Verify


class Verifier:
    """Verifies undecided claims by the policy that bound each."""

    def __init__(self, policy: Policy, clock: Clock, policies: Policies) -> None:
        self._policy = policy
        self._policies = policies
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Verify]) -> Changes:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.subject_ids])
        undecided = [claim for claim in claims if claim.status in JUDGED]
        whole = Changes()
        for policy, group in by_policy(undecided, self._policy, self._policies):
            cases, now = transaction.cases(group, policy), self._clock()
            whole.add(verify(cases, policy, now, self._policies, transaction.usage_digests))
        return whole
