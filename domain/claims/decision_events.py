"""Defines the events of routing and of people's decisions."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain import steps
from domain.audit.event import UNSTATED, Event, Stated
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange
from domain.claims.lifecycle import APPROVED, REJECTED, RESOLVED, SUBMITTED, UNDER_REVIEW, WITHDRAWN


def under_review_by(role: str) -> str:
    """Says whose decision a claim waits for."""
    return f"under review for the {role}"


def late_at(role: str, to: str) -> str:
    """Says that a stage is late, and who may decide it as well."""
    return f"late at the {role}, now for the {to} too" if role else f"late, now for the {to} too"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixApplied(Event[Claim]):
    """Base of events that the approval matrix leads to.

    `rule` counts its rules from 1.
    """

    policy: Stated[str] = UNSTATED
    rule: Stated[int] = UNSTATED
    severity: Stated[str] = UNSTATED
    estimated_cost: Stated[float] = UNSTATED
    currency: Stated[str] = UNSTATED

    @property
    def _rule(self) -> str:
        if UNSTATED in (self.rule, self.severity, self.estimated_cost, self.currency):
            return ""
        cost = f"{self.estimated_cost:g} {self.currency}"
        return f": rule {self.rule}, severity {self.severity}, estimated cost {cost}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRouted(MatrixApplied):
    """The claim was sent to its first stage."""

    KIND = "claim.routed"
    LEADS_TO = (steps.Announce, steps.Escalate)

    stages: list[str]
    four_eyes: Stated[bool] = UNSTATED
    stage_hours: Stated[float | None] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        claim.status, claim.stage, claim.stages = UNDER_REVIEW, 1, self.stages
        claim.approved_by, claim.escalated_to = [], None
        self.state(claim, "severity", "four_eyes", "stage_hours")

    @property
    def sentence(self) -> str:
        others = "".join(f", then the {role}" for role in self.stages[1:])
        return f"{under_review_by(self.stages[0])}{others}{self._rule}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimEscalated(Event[Claim]):
    """A late stage was opened to the next authority as well."""

    KIND = "claim.escalated"
    LEADS_TO = (steps.Announce, steps.Escalate)
    KEYS: ClassVar = {"open_to": "from"}

    to: str
    stage: Stated[int] = UNSTATED
    open_to: Stated[list[str]] = UNSTATED
    stage_hours: Stated[float | None] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        claim.escalated_to = self.to

    @property
    def sentence(self) -> str:
        return late_at("" if self.open_to is UNSTATED else self.open_to[-1], self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(MatrixApplied):
    """Base of what a person does in a `role`, perhaps on somebody's behalf.

    A rule can approve too; it has no role.
    """

    DONE: ClassVar[str]

    action: Stated[str] = UNSTATED
    role: Stated[str] = UNSTATED
    note: Stated[str] = UNSTATED
    on_behalf_of: Stated[str] = UNSTATED
    stage: Stated[int] = UNSTATED
    of_stages: Stated[int] = UNSTATED
    evidence_digest: Stated[str] = UNSTATED
    automatic: Stated[bool] = UNSTATED
    clocks: Stated[ClockChange] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        """Applies the clock change that comes with a decision."""
        if self.clocks is not UNSTATED:
            self.clocks.apply(claim)

    def _approve(self, claim: Claim, actor: str) -> None:
        if self.automatic is UNSTATED:
            lent = () if self.on_behalf_of is UNSTATED else (self.on_behalf_of,)
            claim.approved_by = [*claim.approved_by, actor, *lent]
        claim.escalated_to = None

    def _close(self, claim: Claim, status: str, at: datetime) -> None:
        claim.status, claim.closed_at, claim.escalated_to = status, at, None

    @property
    def sentence(self) -> str:
        lent = "" if self.on_behalf_of is UNSTATED else f" on behalf of {self.on_behalf_of}"
        return f"{self.DONE}{'' if self.role is UNSTATED else f' as {self.role}'}{lent}"

    @property
    def remark(self) -> str:
        return "" if self.note is UNSTATED else self.note


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimApproved(Decided):
    """The last stage approved, or a rule approved without any."""

    KIND = "claim.approved"
    LEADS_TO = (steps.Announce,)
    DONE = "approved"

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        self._approve(claim, actor)
        claim.status = APPROVED
        Decided.apply(self, claim, at, actor)

    @property
    def sentence(self) -> str:
        if self.automatic is not UNSTATED:
            return f"approved without a person{self._rule}"
        return Decided.sentence.fget(self)  # type: ignore[attr-defined, no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePassed(Decided):
    """A stage approved, and the next one is to decide."""

    KIND = "claim.stage_passed"
    LEADS_TO = (steps.Announce, steps.Escalate)
    DONE = "stage passed"

    stage: int

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        self._approve(claim, actor)
        claim.stage = self.stage + 1
        Decided.apply(self, claim, at, actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRejected(Decided):
    """A stage rejected the claim.

    `reason_code` is one of the policy's catalogue, and `because` what it says there.
    """

    KIND = "claim.rejected"
    LEADS_TO = (steps.Announce,)
    DONE = "rejected"

    reason_code: Stated[str] = UNSTATED
    because: Stated[str] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        self._close(claim, REJECTED, at)
        Decided.apply(self, claim, at, actor)

    @property
    def sentence(self) -> str:
        rejected: str = Decided.sentence.fget(self)  # type: ignore[attr-defined]
        return rejected if self.reason_code is UNSTATED else f"{rejected}: {self.because} [{self.reason_code}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResolved(Decided):
    """What was approved has been done."""

    KIND = "claim.resolved"
    LEADS_TO = (steps.Announce,)
    DONE = "resolved"

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        self._close(claim, RESOLVED, at)
        Decided.apply(self, claim, at, actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimWithdrawn(Decided):
    """Somebody withdrew the claim."""

    KIND = "claim.withdrawn"
    LEADS_TO = (steps.Announce,)
    DONE = "withdrawn"

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        self._close(claim, WITHDRAWN, at)
        Decided.apply(self, claim, at, actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimReopened(Decided):
    """The claim is verified again; earlier approvals no longer count."""

    KIND = "claim.reopened"
    LEADS_TO = (steps.Verify, steps.CheckClocks)
    DONE = "reopened"

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        claim.closed_at, claim.stage, claim.stages, claim.approved_by = None, 0, [], []
        claim.status, claim.escalated_to = SUBMITTED, None
        claim.reopened += 1
        claim.duplicate_of = None
        Decided.apply(self, claim, at, actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAcknowledged(Decided):
    """Somebody attends to the claim."""

    KIND = "claim.acknowledged"
    DONE = "acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimNoted(Decided):
    """Somebody added a note to the record."""

    KIND = "claim.noted"
    DONE = "noted"


EVENTS = (
    ClaimRouted,
    ClaimEscalated,
    ClaimApproved,
    StagePassed,
    ClaimRejected,
    ClaimResolved,
    ClaimWithdrawn,
    ClaimReopened,
    ClaimAcknowledged,
    ClaimNoted,
)
