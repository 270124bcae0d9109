"""A message to one destination, and what became of it."""

from dataclasses import dataclass, field
from datetime import datetime

PENDING, SENT, FAILED = "pending", "sent", "failed"


@dataclass(slots=True)
class Delivery:
    """One message for one destination, with every claim it speaks of."""

    id: str
    destination: str
    event: str
    title: str
    body: str
    claim_ids: list[str] = field(default_factory=list)
    status: str = PENDING
    attempts: int = 0
    answer: str = ""
    created_at: datetime | None = None
    finished_at: datetime | None = None
