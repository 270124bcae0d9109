"""What changes write, whatever its type."""

from typing import Any, Final

from domain.audit.chain import AuditEvent
from domain.changes import Changes, DoneStep
from domain.claims.claim import Claim
from domain.evidence.item import Evidence
from domain.field.fault import Fault
from domain.incidents.incident import Incident, Link
from domain.notifications.delivery import Collected, Delivery
from domain.notifications.group import NotificationGroup
from domain.steps import Step

_TYPES: Final = (
    Claim,
    Incident,
    Link,
    Fault,
    Evidence,
    Delivery,
    Collected,
    NotificationGroup,
    AuditEvent,
    Step,
    DoneStep,
)


def written(changes: Changes) -> list[Any]:
    """Returns every record that is written."""
    return [record for kind in _TYPES for record in changes.of(kind)]
