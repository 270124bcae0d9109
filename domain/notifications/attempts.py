"""What came of an attempt to deliver, and trying again what came to nothing."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.audit import chain as audit
from domain.changes import Decision, Step
from domain.claims.claim import Claim
from domain.errors import Conflict
from domain.incidents.incident import Incident
from domain.notifications.delivery import FAILED, PENDING, SENT, UNKNOWN, Delivery

MAX_ATTEMPTS = 8
_CLAIMS_A_STEP = 500
_FIRST_RETRY = timedelta(seconds=10)
_LONGEST_RETRY = timedelta(hours=1)


def record_sent(delivery: Delivery, answer: str, now: datetime) -> Decision:
    """The destination took it. That goes on record at once, and on that of the claims or incidents by steps of
    their own: no lock on one that is busy may undo what is known of a message that is out."""
    delivery.attempts += 1
    delivery.status, delivery.answer, delivery.finished_at = SENT, answer, now
    ids = delivery.claim_ids
    parts = [ids[begin : begin + _CLAIMS_A_STEP] for begin in range(0, len(ids), _CLAIMS_A_STEP)]
    return Decision(attempted=[delivery], steps=[Step("told", part, subject=delivery.id) for part in parts])


def record_told(told: Iterable[tuple[Delivery, Claim | Incident]], now: datetime) -> Decision:
    """An event of every claim or incident for each message that spoke of it."""
    decision = Decision()
    claims: dict[str, Claim] = {}
    incidents: dict[str, Incident] = {}
    for delivery, about in told:
        data = {"delivery": delivery.id, "destination": delivery.destination, "event": delivery.event}
        if isinstance(about, Claim):
            kind, claims[about.id] = "claim.announced", about
        else:
            kind, incidents[about.id] = "incident.announced", about
        decision.events.append(audit.append(about, now, "rule:notifications", kind, data))
    decision.changed += claims.values()
    decision.incidents += incidents.values()
    return decision


def record_failed(
    delivery: Delivery, answer: str, now: datetime, *, unknown: bool = False, wait: timedelta | None = None
) -> Decision:
    """It failed, and is owed again later until its attempts are used up; `wait` is how long the destination asked
    to be left alone. What may have arrived (`unknown`) is left to people: a second one could be one too many."""
    delivery.attempts += 1
    delivery.answer = answer
    decision = Decision(attempted=[delivery])
    if unknown or delivery.attempts >= MAX_ATTEMPTS:
        delivery.status, delivery.finished_at = UNKNOWN if unknown else FAILED, now
    else:
        pause = min(_FIRST_RETRY * 2 ** (delivery.attempts - 1), _LONGEST_RETRY)
        due_at = now + min(max(pause, wait or pause), _LONGEST_RETRY)
        decision.steps.append(Step("retry", due_at=due_at, subject=delivery.id))
    return decision


def postpone(delivery: Delivery, until: datetime, why: str) -> Decision:
    """Its destination is left alone before then; that is no attempt, and its turn has come already."""
    delivery.answer, delivery.due_at = f"waits: {why}", until
    return Decision(attempted=[delivery], steps=[Step("deliver", delivery.claim_ids, until, subject=delivery.id)])


def resend(delivery: Delivery) -> Decision:
    """Owes a delivery again that failed or may have; it has all its attempts before it.

    Raises `Conflict` for any other.
    """
    if delivery.status not in (FAILED, UNKNOWN):
        raise Conflict(f"This delivery is {delivery.status}; what failed or is unknown can be sent again.")
    delivery.status, delivery.attempts, delivery.finished_at = PENDING, 0, None
    return Decision(deliveries=[delivery], steps=[Step("retry", subject=delivery.id)])
