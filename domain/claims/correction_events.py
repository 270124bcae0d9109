"""Defines the events of people's corrections: of severity, error, policy, and of what is a duplicate."""

from dataclasses import dataclass
from datetime import datetime

from domain import steps
from domain.audit.event import UNSTATED, Event, Stated
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange
from domain.claims.lifecycle import after
from domain.text import count


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(Event[Claim]):
    """Base of corrections by a person in a `role`, with the reason in `note`.

    With `afresh` the claim is judged and approved from the start, and earlier approvals no longer count. Where the
    review goes on, `stage_hours` may be other ones for the stages to come.
    """

    role: str
    note: str
    afresh: bool = False
    stage_hours: Stated[float | None] = UNSTATED
    on_behalf_of: Stated[str] = UNSTATED
    clocks: Stated[ClockChange] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        if self.afresh:
            claim.status = after(claim.status, "judge_afresh")
            claim.stage, claim.stages, claim.approved_by, claim.escalated_to = 0, [], [], None
        self.state(claim, "stage_hours")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRebound(Corrected):
    """Somebody bound the claim to the present policy; the change of its clocks states which that is."""

    KIND = "claim.rebound"
    LEADS_TO = (steps.Verify, steps.Announce, steps.CheckClocks)

    policy: str
    policy_before: str

    @property
    def sentence(self) -> str:
        return self._said(f"bound to policy {self.policy}, no more to {self.policy_before},")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMarkedDuplicate(Corrected):
    """The claim was closed as a duplicate: its reports and its evidence follow to another one."""

    KIND = "claim.duplicate"
    LEADS_TO = (steps.Announce,)

    of: str

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        claim.status, claim.closed_at = after(claim.status, "mark_duplicate"), at
        claim.duplicate_of, claim.escalated_to = self.of, None
        Corrected.apply(self, claim, at, actor)

    @property
    def sentence(self) -> str:
        return self._said(f"closed as a duplicate of claim {self.of}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateTaken(Corrected):
    """The reports of a duplicate count with this claim, and those who filed them with its filers.

    What the duplicate said of user, reservation and session is stated where the claim lacked it.
    """

    KIND = "claim.duplicate_taken"
    LEADS_TO = (steps.Verify, steps.CheckClocks)

    duplicate: str
    fault_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    cleared_at: datetime | None
    also_filed_by: Stated[list[str]] = UNSTATED
    affected_user: Stated[str] = UNSTATED
    reservation_id: Stated[str] = UNSTATED
    session_id: Stated[str] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        claim.fault_count, claim.cleared_at = self.fault_count, self.cleared_at
        claim.first_seen_at, claim.last_seen_at = self.first_seen_at, self.last_seen_at
        self.state(claim, "also_filed_by", *FOLLOWING)
        Corrected.apply(self, claim, at, actor)

    @property
    def sentence(self) -> str:
        faults = count(self.fault_count, "fault")
        return self._said(f"took over duplicate claim {self.duplicate}, now {faults} in all,")


FOLLOWING = ("affected_user", "reservation_id", "session_id")

EVENTS = (ClaimCorrected, ClaimRebound, ClaimMarkedDuplicate, DuplicateTaken)
