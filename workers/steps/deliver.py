"""Makes one delivery: tells one destination, and records what came of it."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from domain.announcement import record_outcome
from domain.decision import Decision, Step
from domain.delivery import PENDING, Delivery
from domain.ports import Clock, Notifier, Outcome, Transaction

_FIRST_RETRY = timedelta(seconds=10)
_LONGEST_RETRY = timedelta(hours=1)


class Deliver:
    """The step `deliver`. A delivery that failed is owed again later, until its attempts are used up."""

    def __init__(
        self, notifier: Notifier, clock: Clock, on_outcome: Callable[[Delivery, Outcome], None] = lambda *_: None
    ) -> None:
        self._notifier = notifier
        self._clock = clock
        self._on_outcome = on_outcome

    def __call__(self, transaction: Transaction, steps: Sequence[Step]) -> Decision:
        whole = Decision()
        for delivery in transaction.deliveries([step.subject for step in steps if step.subject]):
            if delivery.status == PENDING:
                whole.add(self._attempt(transaction, delivery))
        return whole

    def _attempt(self, transaction: Transaction, delivery: Delivery) -> Decision:
        outcome = self._notifier.send(delivery.destination, delivery.title, delivery.body)
        claims = transaction.claims(delivery.claim_ids) if outcome.sent else []
        decision = record_outcome(delivery, claims, sent=outcome.sent, answer=outcome.answer, now=self._clock())
        if delivery.status == PENDING:
            pause = min(_FIRST_RETRY * 2 ** (delivery.attempts - 1), _LONGEST_RETRY)
            due_at = self._clock() + pause
            decision.steps.append(Step("deliver", delivery.claim_ids, due_at, subject=delivery.id))
        self._on_outcome(delivery, outcome)
        return decision
