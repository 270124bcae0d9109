"""Ends the hold-down: an error that lasted becomes a claim."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.claims.hold_down import submit
from domain.claims.lifecycle import OBSERVED
from domain.policy.policy import Policy
from domain.ports.store import Clock, Transaction
from domain.steps import Submit


class Submitter:
    """Submits observed claims by the present policy: none has bound them yet."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Submit]) -> Changes:
        claims = transaction.claims([claim_id for step in steps for claim_id in step.subject_ids])
        observed = [claim for claim in claims if claim.status == OBSERVED]
        reported = zip(observed, transaction.reports(observed), strict=True)
        return submit(reported, self._policy, self._clock())
