"""Makes delivery attempts, and records their results."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from domain.changes import Changes
from domain.notifications.attempts import defer, record_failed, record_sent
from domain.notifications.delivery import PENDING, Delivery
from domain.ports.store import AttemptResult, Clock, Message, Notifier, Transaction
from domain.steps import Deliver
from workers.services.circuit_breaker import CircuitBreaker, Deferred


class Deliverer:
    """Sends messages to a destination.

    What its circuit breaker defers is attempted later, and so is what failed, until its attempts are used up.
    """

    def __init__(
        self,
        notifier: Notifier,
        breaker: CircuitBreaker,
        clock: Clock,
        on_attempt: Callable[[Delivery, AttemptResult], None] = lambda *_: None,
    ) -> None:
        self._notifier = notifier
        self._breaker = breaker
        self._clock = clock
        self._on_attempt = on_attempt

    def __call__(self, transaction: Transaction, steps: Sequence[Deliver]) -> Changes:
        whole = Changes()
        for delivery in transaction.deliveries([one for step in steps for one in step.subject_ids]):
            if delivery.status == PENDING:
                entered = self._breaker.enter(delivery.destination, self._clock())
                if isinstance(entered, Deferred):
                    whole.add(defer(delivery, entered.until, entered.why))
                else:
                    whole.add(self._attempt(delivery, entered))
        return whole

    def _attempt(self, delivery: Delivery, began: float) -> Changes:
        outcome: AttemptResult | None = None
        try:
            outcome = self._notifier.send(delivery.destination, _message(delivery))
        finally:
            self._breaker.leave(delivery.destination, began, outcome, self._clock())
        now = self._clock()
        if outcome.sent:
            changes = record_sent(delivery, outcome.answer, now)
        else:
            wait = timedelta(seconds=outcome.wait_seconds) if outcome.wait_seconds else None
            changes = record_failed(delivery, outcome.answer, now, unknown=outcome.unknown, wait=wait)
        self._on_attempt(delivery, outcome)
        return changes


def _message(delivery: Delivery) -> Message:
    text = (delivery.title, delivery.body)
    return Message(delivery.id, *text, delivery.event, delivery.reason, delivery.summary)
