"""Makes one delivery: tells one destination, and records what came of it."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from domain.changes import Decision, Step
from domain.claims.claim import Claim
from domain.errors import NotFound
from domain.incidents.incident import Incident
from domain.notifications.attempts import postpone, record_failed, record_sent, record_told, resend
from domain.notifications.delivery import PENDING, Delivery
from domain.ports.store import Clock, Message, Notifier, Outcome, Store, Transaction
from workers.services.circuit_breaker import Gate, Held


class Deliver:
    """The step `deliver`. A delivery that the gate holds is owed again later, and so is one that failed, until its
    attempts are used up."""

    def __init__(
        self,
        notifier: Notifier,
        gate: Gate,
        clock: Clock,
        on_outcome: Callable[[Delivery, Outcome], None] = lambda *_: None,
    ) -> None:
        self._notifier = notifier
        self._gate = gate
        self._clock = clock
        self._on_outcome = on_outcome

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        whole = Decision()
        for delivery in transaction.deliveries([step.subject for step in steps if step.subject]):
            if delivery.status == PENDING:
                entered = self._gate.enter(delivery.destination, self._clock())
                if isinstance(entered, Held):
                    whole.add(postpone(delivery, entered.until, entered.why))
                else:
                    whole.add(self._attempt(delivery, entered))
        return whole

    def _attempt(self, delivery: Delivery, began: float) -> Decision:
        outcome: Outcome | None = None
        try:
            outcome = self._notifier.send(delivery.destination, _message(delivery))
        finally:
            self._gate.leave(delivery.destination, began, outcome, self._clock())
        now = self._clock()
        if outcome.sent:
            decision = record_sent(delivery, outcome.answer, now)
        else:
            wait = timedelta(seconds=outcome.wait_seconds) if outcome.wait_seconds else None
            decision = record_failed(delivery, outcome.answer, now, unknown=outcome.unknown, wait=wait)
        self._on_outcome(delivery, outcome)
        return decision


def _message(delivery: Delivery) -> Message:
    text = (delivery.title, delivery.body)
    return Message(delivery.id, *text, delivery.event, delivery.reason, delivery.summary)


class Told:
    """The step `told`: the claims or incidents that a delivery spoke of have it on their own record."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        ids = list({about for step in steps for about in step.claim_ids})
        found: dict[str, Claim | Incident] = {claim.id: claim for claim in transaction.claims(ids)}
        if len(found) < len(ids):
            found |= {incident.id: incident for incident in transaction.incidents(ids)}
        deliveries = {it.id: it for it in transaction.deliveries([s.subject for s in steps if s.subject])}
        told = (
            (deliveries[step.subject or ""], found[about])
            for step in steps
            for about in step.claim_ids
            if about in found
        )
        return record_told(told, self._clock())


class Resend:
    """What people do with a delivery that failed or may have."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, delivery_id: str) -> None:
        """Owes it again. Raises `NotFound`, `Conflict` for one that needs no other attempt, `TransientError`."""
        with self._store.transaction() as transaction:
            found = transaction.deliveries([delivery_id])
            if not found:
                raise NotFound(f"There is no delivery {delivery_id}.")
            transaction.record(resend(found[0]))
