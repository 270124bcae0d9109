"""Defines the delivery: a message to one destination, its reason and its outcome."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from domain.steps import CLAIM

# The status of a delivery. A collecting one gets more notices until it is due; silenced and suppressed ones are
# never sent, and say why. Nobody can say whether an unknown one arrived.
COLLECTING: Final = "gathering"
PENDING: Final = "pending"
SENT: Final = "sent"
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"
SILENCED: Final = "silenced"
SUPPRESSED: Final = "suppressed"
STATUSES: Final = (COLLECTING, PENDING, SENT, FAILED, UNKNOWN, SILENCED, SUPPRESSED)

# Why it was made: the first message of its group, one of a group that is not idle yet, a window's digest.
FIRST: Final = "first"
UPDATE: Final = "update"
DIGEST: Final = "digest"
# Nobody acknowledged the notice: it is repeated, or escalated to the next destination.
REPEAT: Final = "repeat"
ESCALATION: Final = "escalation"
# The end of what this destination was notified of.
RESOLVED: Final = "resolved"
BY_INCIDENT: Final = "suppressed_by_incident"
BY_SILENCE: Final = "silenced"


@dataclass(slots=True)
class Delivery:
    """One message for one destination, about claims or incidents (`subject_kind`).

    It is sent from `due_at` on. `answer` is what the destination said last, or why nothing is sent. `summary` is a
    `domain.notifications.notice.Summary` as fields, from which title and body are made. `tried_at` are the moments
    of the attempts before the present one that still count for the rate limit.
    """

    id: str
    destination: str
    event: str
    title: str = ""
    body: str = ""
    subject_ids: list[str] = field(default_factory=list)
    status: str = PENDING
    attempts: int = 0
    answer: str = ""
    created_at: datetime | None = None
    finished_at: datetime | None = None
    code: str = ""
    reason: str = FIRST
    due_at: datetime | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    tried_at: list[datetime] = field(default_factory=list)
    subject_kind: str = CLAIM


@dataclass(frozen=True, slots=True)
class Collected:
    """A notice that waits for its delivery's digest, as fields.

    See `domain.notifications.notice.Notice`.
    """

    delivery_id: str
    notice: dict[str, Any]
