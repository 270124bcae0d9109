"""What the domain decided about a batch: everything the store must write, together or not at all."""

from dataclasses import dataclass, field, fields
from datetime import datetime

from domain.audit.chain import AuditEvent
from domain.claims.claim import Claim
from domain.evidence.item import Evidence
from domain.field.fault import Fault
from domain.incidents.incident import Incident, Link
from domain.notifications.delivery import Delivery, Gathered
from domain.notifications.group import NewsGroup


@dataclass(slots=True)
class Step:
    """Work that is owed: "verify these claims", "make that delivery".

    A row until the transaction that records its result removes it. `due_at` None means at once. `subject` names
    what a step is about beside claims: a delivery, or the standing of the claims that is news. `id` is 0 until
    stored.
    """

    kind: str
    claim_ids: list[str] = field(default_factory=list)
    due_at: datetime | None = None
    subject: str | None = None
    attempts: int = 0
    id: int = 0


@dataclass(slots=True)
class Decision:
    """Claims opened and changed, the audit events that say so, and the steps that follow.

    `counted` are the claims that took in more reports and changed in nothing else (see
    `domain.claims.deduplication`); none of them is in `changed` as well. `attempted` are deliveries that were
    tried, which changes nothing of what they say, and `gathered` is news that waits for a digest. `evidence` holds
    items that were added or withdrawn, `incidents` those that are new or other ones now, and `links` which claims
    belong to which incident by now. `done` are the ids of steps that are owed no longer.
    """

    opened: list[Claim] = field(default_factory=list)
    changed: list[Claim] = field(default_factory=list)
    counted: list[Claim] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    groups: list[NewsGroup] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    attempted: list[Delivery] = field(default_factory=list)
    gathered: list[Gathered] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    done: list[int] = field(default_factory=list)

    def add(self, other: "Decision") -> None:
        """Takes in another decision, to be written together with this one."""
        for part in fields(self):
            getattr(self, part.name).extend(getattr(other, part.name))
