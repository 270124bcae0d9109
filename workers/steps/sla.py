"""Fires what the clocks of claims have run past."""

from collections.abc import Sequence

from domain.changes import Decision, Step
from domain.claims import sla
from domain.ports.store import Clock, Transaction


class Sweep:
    """The step `clock`: warnings and breaches, each once, since the step goes with the transaction that fires."""

    def __init__(self, policies: sla.Policies, clock: Clock) -> None:
        self._policies = policies
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        owed = {(claim_id, step.subject) for step in steps for claim_id in step.claim_ids}
        claims = transaction.claims([claim_id for claim_id, _ in owed])
        return sla.sweep(claims, owed, self._policies, self._clock())
