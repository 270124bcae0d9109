"""What came of an attempt to deliver, and trying again what came to nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain import audit
from domain.claim import Claim
from domain.decision import Decision, Step
from domain.delivery import FAILED, PENDING, SENT, UNKNOWN, Delivery
from domain.errors import Conflict

MAX_ATTEMPTS = 8
_FIRST_RETRY = timedelta(seconds=10)
_LONGEST_RETRY = timedelta(hours=1)


def record_sent(delivery: Delivery, claims: Sequence[Claim], answer: str, now: datetime) -> Decision:
    """The destination took it, which is an audit event of every claim that it spoke of."""
    delivery.attempts += 1
    delivery.status, delivery.answer, delivery.finished_at = SENT, answer, now
    decision = Decision(deliveries=[delivery])
    data = {"delivery": delivery.id, "destination": delivery.destination, "event": delivery.event}
    for claim in claims:
        decision.changed.append(claim)
        decision.events.append(audit.append(claim, now, "rule:notifications", "claim.announced", data))
    return decision


def record_failed(
    delivery: Delivery, answer: str, now: datetime, *, unknown: bool = False, wait: timedelta | None = None
) -> Decision:
    """It failed, and is owed again later until its attempts are used up; `wait` is how long the destination asked
    to be left alone. What may have arrived (`unknown`) is left to people: a second one could be one too many."""
    delivery.attempts += 1
    delivery.answer = answer
    decision = Decision(deliveries=[delivery])
    if unknown or delivery.attempts >= MAX_ATTEMPTS:
        delivery.status, delivery.finished_at = UNKNOWN if unknown else FAILED, now
    else:
        pause = min(_FIRST_RETRY * 2 ** (delivery.attempts - 1), _LONGEST_RETRY)
        due_at = now + min(max(pause, wait or pause), _LONGEST_RETRY)
        decision.steps.append(Step("deliver", delivery.claim_ids, due_at, subject=delivery.id))
    return decision


def resend(delivery: Delivery, now: datetime) -> Decision:
    """Owes a delivery again that failed or may have; it has all its attempts before it.

    Raises `Conflict` for any other.
    """
    if delivery.status not in (FAILED, UNKNOWN):
        raise Conflict(f"This delivery is {delivery.status}; what failed or is unknown can be sent again.")
    delivery.status, delivery.attempts, delivery.finished_at, delivery.due_at = PENDING, 0, None, now
    step = Step("deliver", delivery.claim_ids, subject=delivery.id)
    return Decision(deliveries=[delivery], steps=[step])
