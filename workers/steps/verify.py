"""Checks claims against what their spots really did."""

from collections.abc import Sequence

from domain.changes import Decision, Step
from domain.claims.lifecycle import JUDGED
from domain.claims.sla import Policies, by_policy
from domain.eligibility.verify import verify
from domain.policy import Policy
from domain.ports.store import Clock, Transaction


class Verify:
    """The step `verify`: a verdict for every claim that nobody has decided yet, by the policy that bound it."""

    def __init__(self, policy: Policy, clock: Clock, policies: Policies) -> None:
        self._policy = policy
        self._policies = policies
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.claim_ids])
        judged = [claim for claim in claims if claim.status in JUDGED]
        whole = Decision()
        for policy, group in by_policy(judged, self._policy, self._policies):
            whole.add(verify(transaction.cases(group, policy), policy, self._clock(), self._policies))
        return whole
