"""Defines the events of SLA clocks, and the clock changes within other events."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from domain import steps
from domain.audit.event import UNSTATED, Body, Event, Stated
from domain.claims.claim import Claim
from domain.text import measure


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockChange(Body):
    """States what an event does to the SLA clocks of its claim.

    It binds them, and says why; it pauses or resumes them; or it stops the first. `sla_alerts` are the alerts that
    were fired and still hold, where other ones do not any more.
    """

    policy: Stated[str] = UNSTATED
    target: Stated[int] = UNSTATED
    severities: Stated[list[str]] = UNSTATED
    claim_types: Stated[list[str]] = UNSTATED
    acknowledge_hours: Stated[float] = UNSTATED
    resolve_hours: Stated[float] = UNSTATED
    calendar: Stated[str] = UNSTATED
    time_zone: Stated[str] = UNSTATED
    zone_of: Stated[str] = UNSTATED
    closed_from: Stated[datetime] = UNSTATED
    paused_at: Stated[datetime] = UNSTATED
    resumed_at: Stated[datetime] = UNSTATED
    acknowledge_due_at: Stated[datetime | None] = UNSTATED
    resolve_due_at: Stated[datetime | None] = UNSTATED
    acknowledged_at: Stated[datetime] = UNSTATED
    sla_alerts: Stated[list[str]] = UNSTATED

    def apply(self, claim: Claim) -> None:
        """Changes the claim's clocks."""
        self.state(claim, "time_zone", "acknowledge_due_at", "resolve_due_at", "acknowledged_at", "sla_alerts")
        if self.policy is not UNSTATED:
            claim.policy_version = self.policy
        if self.closed_from is not UNSTATED and not claim.paused:
            claim.pauses = [*claim.pauses, self.closed_from]
        for moment in (self.paused_at, self.resumed_at):
            if moment is not UNSTATED:
                claim.pauses = [*claim.pauses, moment]

    @property
    def moved(self) -> bool:
        """Checks whether the clocks were bound, paused or resumed."""
        return not self.policy is self.paused_at is self.resumed_at is UNSTATED

    @property
    def words(self) -> str:
        """Says in brackets whether the clocks were paused or resumed."""
        if self.paused_at is not UNSTATED:
            return " (clocks paused)"
        return " (clocks resumed)" if self.resumed_at is not UNSTATED else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAlert(Event[Claim]):
    """Base of the alerts that an SLA clock fires, each once."""

    LEADS_TO = (steps.Announce, steps.CheckClocks)
    ALERT: ClassVar[str]

    clock: str
    due_at: datetime | None
    used_hours: float

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        claim.sla_alerts = [*claim.sla_alerts, f"{self.clock}.{self.ALERT}"]

    @staticmethod
    def headline(clock: str) -> str:
        """Says in a few words what the alert means for a clock."""
        raise NotImplementedError

    @property
    def sentence(self) -> str:
        due = f", due {self.due_at:%Y-%m-%d %H:%M} UTC" if self.due_at else ""
        return f"{self.headline(self.clock)}: {measure(self.used_hours, 'hour')} used{due}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaWarned(ClockAlert):
    """The share of the target at which the clock warns is used up."""

    KIND = "claim.sla_warned"
    ALERT = "warned"

    @staticmethod
    def headline(clock: str) -> str:
        return f"must be {_DONE[clock]} soon"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaBreached(ClockAlert):
    """All of the target is used up."""

    KIND = "claim.sla_breached"
    ALERT = "breached"

    @staticmethod
    def headline(clock: str) -> str:
        return f"not {_DONE[clock]} in time"


_DONE: Final = {"acknowledge": "acknowledged", "resolve": "resolved"}


EVENTS: Final = (SlaWarned, SlaBreached)
