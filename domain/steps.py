"""Defines the steps: jobs in the transactional outbox, one dataclass for each kind.

A step is a row until the transaction that records its result removes it. `workers.steps.registry` has how each
kind is carried out.
"""

from dataclasses import KW_ONLY, dataclass, field, fields, replace
from datetime import datetime
from typing import Any, ClassVar, Final, Self

CLAIM: Final = "claim"
INCIDENT: Final = "incident"
DELIVERY: Final = "delivery"


@dataclass(slots=True)
class Step:
    """Base of the kinds: a job for some claims, incidents or deliveries.

    `subject_kind` says which of these the ids belong to. Without `due_at` it is due at once. `attempts` counts
    those that failed, and `id` is 0 until it is stored.
    """

    KIND: ClassVar[str]

    subject_ids: list[str]
    _: KW_ONLY
    subject_kind: str = CLAIM
    due_at: datetime | None = None
    attempts: int = 0
    id: int = 0

    @property
    def kind(self) -> str:
        """Returns the name of the kind."""
        return self.KIND

    @property
    def payload(self) -> dict[str, Any]:
        """Returns the fields that only steps of this kind have, JSON-ready."""
        return {name: getattr(self, name) for name in _own_fields(type(self))}

    def halves(self) -> list[Self]:
        """Splits a failed step in two, so one subject cannot hold up the others.

        Each half counts one more failed attempt.
        """
        middle = len(self.subject_ids) // 2
        parts = (self.subject_ids[:middle], self.subject_ids[middle:])
        return [replace(self, subject_ids=part, due_at=None, attempts=self.attempts + 1, id=0) for part in parts]


@dataclass(slots=True)
class Submit(Step):
    """Ends the hold-down of observed claims."""

    KIND = "submit"


@dataclass(slots=True)
class Verify(Step):
    """Verifies claims against what their spots recorded."""

    KIND = "verify"


@dataclass(slots=True)
class Detect(Step):
    """Counts the spots of claims in the windows of detection."""

    KIND = "detect"


@dataclass(slots=True)
class Route(Step):
    """Sends verified claims to their first stage."""

    KIND = "route"


@dataclass(slots=True)
class Escalate(Step):
    """Escalates claims with a late stage to the next authority.

    Claims with another state key have moved on and are left alone.
    """

    KIND = "escalate"

    state_key: str


@dataclass(slots=True)
class CheckClocks(Step):
    """Fires the alerts that SLA clocks have run past.

    `pauses` distinguishes it from one that was scheduled before a pause.
    """

    KIND = "clock"

    pauses: int


@dataclass(slots=True)
class SettleIncident(Step):
    """Checks whether an incident has fallen quiet or is over."""

    KIND = "incident"

    subject_kind: str = field(default=INCIDENT, kw_only=True)


@dataclass(slots=True)
class Announce(Step):
    """Notifies of where claims stand, or of an event of claims or incidents.

    With a `state_key` it is about claims that still have it; with an `event` about an alert of their SLA clocks, a
    correction, or about what happened to an incident.
    """

    KIND = "announce"

    _: KW_ONLY
    state_key: str = ""
    event: str = ""


@dataclass(slots=True)
class Remind(Step):
    """Repeats or escalates a notice that nobody has acknowledged.

    `occasion` is that of the notice (see `domain.notifications.notice.Notice`).
    """

    KIND = "remind"

    reason: str
    occasion: str
    destination: str


@dataclass(slots=True)
class SendDigest(Step):
    """Sends what a delivery has collected."""

    KIND = "digest"

    subject_kind: str = field(default=DELIVERY, kw_only=True)


@dataclass(slots=True)
class Deliver(Step):
    """Sends one message to its destination."""

    KIND = "deliver"

    subject_kind: str = field(default=DELIVERY, kw_only=True)

    destination: str


@dataclass(slots=True)
class Retry(Step):
    """Schedules the next attempt of a delivery that failed."""

    KIND = "retry"

    subject_kind: str = field(default=DELIVERY, kw_only=True)


@dataclass(slots=True)
class RecordNotified(Step):
    """Records on its subjects' chains that a delivery has notified of them."""

    KIND = "notified"

    delivery_id: str


KINDS: Final[dict[str, type[Step]]] = {
    kind.KIND: kind
    for kind in (
        Submit,
        Verify,
        Detect,
        Route,
        Escalate,
        CheckClocks,
        SettleIncident,
        Announce,
        Remind,
        SendDigest,
        Deliver,
        Retry,
        RecordNotified,
    )
}


def _own_fields(kind: type[Step]) -> list[str]:
    return [own.name for own in fields(kind) if own.name not in _SHARED]


_SHARED: Final = {shared.name for shared in fields(Step)}
