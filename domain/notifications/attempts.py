"""Records delivery attempts, and schedules the next after a failed one."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from domain.backoff import Backoff
from domain.changes import ATTEMPTED, Changes
from domain.claims.claim import Claim
from domain.claims.events import ClaimNotified
from domain.errors import Conflict
from domain.incidents.events import IncidentNotified
from domain.incidents.incident import Incident
from domain.notifications.delivery import FAILED, PENDING, SENT, UNKNOWN, Delivery
from domain.steps import Deliver, RecordNotified, Retry

_ACTOR: Final = "rule:notifications"
MAX_ATTEMPTS: Final = 8
_SUBJECTS_A_STEP: Final = 500
_RETRIES: Final = Backoff(timedelta(seconds=10), timedelta(hours=1))


def record_sent(delivery: Delivery, answer: str, now: datetime) -> Changes:
    """Records that the destination accepted a message.

    That is recorded at once; on the chains of its subjects it is recorded by steps of their own: no lock on a
    claim or incident that is busy may undo what is known of a message that is out.
    """
    delivery.attempts += 1
    delivery.status, delivery.answer, delivery.finished_at = SENT, answer, now
    ids = delivery.subject_ids
    parts = [ids[begin : begin + _SUBJECTS_A_STEP] for begin in range(0, len(ids), _SUBJECTS_A_STEP)]
    changes = _attempted(delivery)
    changes.put(*(RecordNotified(part, delivery.id, subject_kind=delivery.subject_kind) for part in parts))
    return changes


def record_notified(notified: Iterable[tuple[Delivery, Claim | Incident]], now: datetime) -> Changes:
    """Records an event on every claim or incident that a message was about."""
    changes = Changes()
    for delivery, subject in notified:
        message: dict[str, Any] = {
            "delivery": delivery.id,
            "destination": delivery.destination,
            "event": delivery.event,
        }
        if isinstance(subject, Claim):
            changes.record(subject, ClaimNotified(**message), now, _ACTOR)
        else:
            changes.record(subject, IncidentNotified(**message), now, _ACTOR)
    return changes


def record_failed(
    delivery: Delivery, answer: str, now: datetime, *, unknown: bool = False, wait: timedelta | None = None
) -> Changes:
    """Records a failed attempt, and schedules the next until all are used up.

    `wait` is how long the destination asked to be left alone. A message that may have arrived (`unknown`) is left
    to people: a second one could be one too many.
    """
    delivery.attempts += 1
    delivery.answer = answer
    changes = _attempted(delivery)
    if unknown or delivery.attempts >= MAX_ATTEMPTS:
        delivery.status, delivery.finished_at = UNKNOWN if unknown else FAILED, now
    else:
        pause = _RETRIES.after(delivery.attempts)
        changes.put(Retry([delivery.id], due_at=now + min(max(pause, wait or pause), _RETRIES.longest)))
    return changes


def defer(delivery: Delivery, until: datetime, why: str) -> Changes:
    """Defers a delivery while its destination is left alone.

    That is no attempt, and the delivery keeps its turn under the rate limit.
    """
    delivery.answer, delivery.due_at = f"waits: {why}", until
    changes = _attempted(delivery)
    changes.put(Deliver([delivery.id], delivery.destination, due_at=until))
    return changes


def resend(delivery: Delivery) -> Changes:
    """Resends a delivery that failed or may have; its attempts start anew.

    Raises `Conflict` for any other.
    """
    if delivery.status not in (FAILED, UNKNOWN):
        raise Conflict(f"This delivery is {delivery.status}; what failed or is unknown can be sent again.")
    delivery.status, delivery.attempts, delivery.finished_at = PENDING, 0, None
    return Changes(delivery, Retry([delivery.id]))


def _attempted(delivery: Delivery) -> Changes:
    changes = Changes()
    changes.put(delivery, part=ATTEMPTED)
    return changes
