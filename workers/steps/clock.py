"""Fires the alerts that SLA clocks have run past."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.claims import sla
from domain.ports.store import Clock, Transaction
from domain.steps import CheckClocks


class ClockSweeper:
    """Records warnings and breaches, each once.

    The step is removed in the transaction that fires them.
    """

    def __init__(self, policies: sla.Policies, clock: Clock) -> None:
        self._policies = policies
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[CheckClocks]) -> Changes:
        pending = {(claim_id, step.pauses) for step in steps for claim_id in step.subject_ids}
        claims = transaction.claims([claim_id for claim_id, _ in pending])
        return sla.sweep(claims, pending, self._policies, self._clock())
