"""Ends the hold-down: what still stands becomes a claim."""

from collections.abc import Sequence

from domain.changes import Decision, Step
from domain.claims.hold_down import submit
from domain.claims.lifecycle import OBSERVED
from domain.policy import Policy
from domain.ports.store import Clock, Transaction


class Submit:
    """The step `submit`, by the present policy: none has bound these claims yet."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.claim_ids])
        observed = [claim for claim in claims if claim.status == OBSERVED]
        reported = zip(observed, transaction.reports(observed), strict=True)
        return submit(reported, self._policy, self._clock())
