"""A message to one destination, why it was made, and what became of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from domain.errors import NotAllowed

# How a delivery stands. One that is gathering takes in more news until it is due; silenced and suppressed ones are
# never sent, and tell why nothing came. Of one that is unknown nobody can say whether it arrived.
GATHERING: Final = "gathering"
PENDING: Final = "pending"
SENT: Final = "sent"
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"
SILENCED: Final = "silenced"
SUPPRESSED: Final = "suppressed"
STATUSES: Final = (GATHERING, PENDING, SENT, FAILED, UNKNOWN, SILENCED, SUPPRESSED)

# Why it was made: the first message of its group, one of a group that is still warm, what a hot group gathered.
FIRST: Final = "first"
UPDATE: Final = "update"
DIGEST: Final = "digest"
# Nobody acknowledged what was told: once more, or to the next destination.
REPEAT: Final = "repeat"
ESCALATION: Final = "escalation"
# The end of what this destination was told of.
RESOLVED: Final = "resolved"
BY_INCIDENT: Final = "suppressed_by_incident"
BY_SILENCE: Final = "silenced"


@dataclass(slots=True)
class Delivery:
    """One message for one destination, with everything that it speaks of: `claim_ids` are those of claims, or of
    incidents where `event` is one of an incident.

    It is sent from `due_at` on. `answer` is what the destination said last, or why nothing is sent. `summary` is a
    `domain.notifications.notice.Summary` of what it tells, as fields, of which title and body are made. `tried_at`
    are the moments from which attempts before the present one were made, as far as a limit by the minute must know
    of them.
    """

    id: str
    destination: str
    event: str
    title: str = ""
    body: str = ""
    claim_ids: list[str] = field(default_factory=list)
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


@dataclass(frozen=True, slots=True)
class Gathered:
    """News that waits in a delivery until its digest goes: a `domain.notifications.notice.News`, as fields."""

    delivery_id: str
    news: dict[str, Any]


def demand_may_handle(role: str) -> None:
    """Raises `NotAllowed` for auditors, who read."""
    if role == "auditor":
        raise NotAllowed("Auditors read; they neither silence nor send again.")
