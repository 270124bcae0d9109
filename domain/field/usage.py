"""Defines the usage record: what a spot recorded of one session."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from domain.field.signed_value import CheckedValue

SAME_SESSION_WITHIN: Final = timedelta(days=7)
"""How far apart two records of one number may lie in time to be of one session.

Some sources count from one again each year, or after a restart. What lies further apart is another session, and
neither displaces the other.
"""

SESSION_ORDER: Final = ("recorded_at", "final", "key")
"""What orders the records of one session: the last one counts, earlier ones are kept as evidence.

Of one moment, a final record comes after one under way. The key breaks ties, so the result does not depend on the
order of arrival.
"""

BEGIN: Final = "Transaction.Begin"
"""The context of a sample that is the register at the begin of its session, whenever it was sent."""

END: Final = "Transaction.End"
"""The context of a sample that is the register at the end of its session."""


@dataclass(slots=True)
class UsageRecord:
    """One `spotclaim.usage.recorded.v1` message, with energy and registers in kWh.

    Wrong values are kept as the source sent them: they are evidence. `findings` names what is wrong with the
    record on its own (see `domain.eligibility.record_findings`). `recorded_at` orders two records of one session:
    the later wins. `samples` are the source's own; one with `unreadable` names a field whose `text` could not be
    read. `periods_kwh` is the sum over the parts of the session, where the source states these. `under_way` is set
    where the source says that the session goes on. `unknown` holds the fields that this kind of message does not
    know; it is stored, and not read again. A record that `takes_back` another one of its session, as a credit,
    never counts. `edited_by` names who changed the message before it was replayed from quarantine, and
    `original_digest` is that of the original bytes. `signed` are the signed meter values that came with it, as
    they came (see `domain.field.signed_value`): none is ever a register. `contradicted_kwh` is what an earlier
    final record of the session states, and `checked` what came of the signed values; both are set when the
    record is read for a claim (see `domain.eligibility.contradiction` and `domain.eligibility.signed`).
    """

    key: str
    source: str
    message_id: str
    spot_id: str
    session_id: str
    recorded_at: datetime
    received_at: datetime
    connector_id: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    energy_kwh: float | None = None
    meter_start_kwh: float | None = None
    meter_stop_kwh: float | None = None
    periods_kwh: float | None = None
    under_way: bool = False
    reservation_id: str | None = None
    user: str | None = None
    stop_reason: str | None = None
    findings: list[str] = field(default_factory=list)
    signed: list[dict[str, Any]] | None = None
    edited_by: list[str] = field(default_factory=list)
    original_digest: str | None = None
    samples: list[dict[str, Any]] = field(default_factory=list)
    unknown: dict[str, Any] | None = None
    takes_back: bool = False
    contradicted_kwh: float | None = None
    checked: list[CheckedValue] = field(default_factory=list)

    @property
    def final(self) -> bool:
        """Checks whether the record is the last word on a session: it has ended."""
        return self.ended_at is not None and not self.under_way and not self.takes_back

    @property
    def hours(self) -> float | None:
        """Returns the length in hours; None while either end is unknown."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds() / 3600

    def running_at(self, moment: datetime) -> bool:
        """Checks whether the session was running at that moment.

        A session under way has no end yet: it is known to run until it was last recorded.
        """
        until = self.recorded_at if self.under_way and self.ended_at is None else self.ended_at
        return self.started_at is not None and until is not None and self.started_at <= moment <= until
