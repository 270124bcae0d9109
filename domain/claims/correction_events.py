"""Defines the events of people's corrections: of severity and error."""

from dataclasses import dataclass
from datetime import datetime

from domain import steps
from domain.audit.event import UNSTATED, Event, Stated
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange
from domain.claims.lifecycle import after


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(Event[Claim]):
    """Base of corrections by a person in a `role`, with the reason in `note`.

    With `afresh` the claim is judged and approved from the start, and earlier approvals no longer count.
    """

    role: str
    note: str
    afresh: bool
    on_behalf_of: Stated[str] = UNSTATED
    clocks: Stated[ClockChange] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        if self.afresh:
            claim.status = after(claim.status, "judge_afresh")
            claim.stage, claim.stages, claim.approved_by, claim.escalated_to = 0, [], [], None
        if self.clocks is not UNSTATED:
            self.clocks.apply(claim)

    def _said(self, what: str) -> str:
        lent = "" if self.on_behalf_of is UNSTATED else f" on behalf of {self.on_behalf_of}"
        return f"{what} as {self.role}{lent}{', to be judged afresh' if self.afresh else ''}"

    @property
    def remark(self) -> str:
        return self.note


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCorrected(Corrected):
    """Somebody corrected the severity, the error, or both; what they were stands beside.

    Whoever does so has shaped the claim, and counts among those who filed it.
    """

    KIND = "claim.corrected"
    LEADS_TO = (steps.Verify, steps.Announce, steps.CheckClocks, steps.Detect)

    severity: Stated[str] = UNSTATED
    severity_before: Stated[str] = UNSTATED
    code: Stated[str] = UNSTATED
    code_before: Stated[str] = UNSTATED
    claim_type: Stated[str] = UNSTATED
    also_filed_by: Stated[list[str]] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        self.state(claim, "severity", "code", "claim_type", "also_filed_by")
        Corrected.apply(self, claim, at, actor)

    @property
    def sentence(self) -> str:
        changes = (("error", self.code_before, self.code), ("severity", self.severity_before, self.severity))
        said = [f"{what} from {before} to {now}" for what, before, now in changes if now is not UNSTATED]
        return self._said(f"corrected the {' and the '.join(said)}")


EVENTS = (ClaimCorrected,)
