"""Records on claims and incidents that a delivery has notified of them."""

from collections.abc import Iterable, Sequence

from domain.changes import Changes
from domain.claims.claim import Claim
from domain.incidents.incident import Incident
from domain.notifications.attempts import record_notified
from domain.ports.store import Clock, Transaction
from domain.steps import CLAIM, RecordNotified


class NotifiedRecorder:
    """Appends to the chains of the subjects that a delivery notified of."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[RecordNotified]) -> Changes:
        claims = _ids(step for step in steps if step.subject_kind == CLAIM)
        incidents = _ids(step for step in steps if step.subject_kind != CLAIM)
        found: dict[str, Claim | Incident] = {claim.id: claim for claim in transaction.claims(claims)}
        if incidents:
            found |= {incident.id: incident for incident in transaction.incidents(incidents)}
        deliveries = {it.id: it for it in transaction.deliveries([step.delivery_id for step in steps])}
        notified = (
            (deliveries[step.delivery_id], found[subject_id])
            for step in steps
            for subject_id in step.subject_ids
            if subject_id in found
        )
        return record_notified(notified, self._clock())


def _ids(steps: Iterable[RecordNotified]) -> list[str]:
    return list({subject_id for step in steps for subject_id in step.subject_ids})
