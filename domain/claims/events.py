"""Defines the events of a claim: one dataclass for each kind.

Each has its change of the claim, its body on record, and a sentence for people. Fields with the default `UNSTATED`
may be missing in the bodies of earlier versions. Routing and decisions are in `domain.claims.decision_events`, SLA
clocks in `domain.claims.clock_events`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain import steps
from domain.audit.event import COUNTED, OPENED, UNSTATED, Event, Restated, Stated, Unstated
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange
from domain.claims.lifecycle import SUBMITTED, UNDER_REVIEW, VERDICTS, WITHDRAWN, after
from domain.text import count

ClaimEvent = Event[Claim]

# The details of a claim that its earliest fault states.
DETAILS: Final = ("connector_id", "zone", "affected_user", "reservation_id", "session_id")
# Those that the registrations of its spot state.
SPOT_DETAILS: Final = ("zone", "site", "model", "firmware")


Edits = dict[str, dict[str, Any]]
"""The faults that were edited before they were replayed, by their keys: `by` whom, and the `original`'s digest."""


def _edited(edits: Stated[Edits]) -> str:
    if isinstance(edits, Unstated):
        return ""
    names = sorted({name for edit in edits.values() for name in edit["by"]})
    return f", {len(edits)} of them edited by {', '.join(names)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOpened(ClaimEvent):
    """A claim opens over its first faults.

    With a `status` everything about it is stated, and what is None left out.
    """

    KIND = "claim.opened"
    PART = OPENED
    LEADS_TO = (steps.Verify, steps.Submit, steps.Detect)

    spot_id: str
    code: str
    severity: str
    connector_id: int
    policy: str
    faults: list[str]
    fault_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    cleared_at: datetime | None
    claim_type: Stated[str] = UNSTATED
    number: Stated[str] = UNSTATED
    status: Stated[str] = UNSTATED
    zone: Stated[str] = UNSTATED
    affected_user: Stated[str] = UNSTATED
    reservation_id: Stated[str] = UNSTATED
    session_id: Stated[str] = UNSTATED
    filed_by: Stated[str] = UNSTATED
    also_filed_by: Stated[list[str]] = UNSTATED
    edited: Stated[Edits] = UNSTATED

    def begin(self, claim_id: str, at: datetime) -> Claim:
        """Returns the claim that opens.

        What the event of an earlier version did not state stays `UNSTATED`.
        """
        unknown: Any = UNSTATED if self.status is UNSTATED else None

        def known(value: Any) -> Any:
            return unknown if value is UNSTATED else value

        return Claim(
            id=claim_id,
            spot_id=self.spot_id,
            code=self.code,
            claim_type=known(self.claim_type),
            severity=self.severity,
            status=known(self.status),
            opened_at=at,
            first_seen_at=self.first_seen_at,
            last_seen_at=self.last_seen_at,
            policy_version=self.policy,
            connector_id=self.connector_id,
            zone=known(self.zone),
            affected_user=known(self.affected_user),
            reservation_id=known(self.reservation_id),
            session_id=known(self.session_id),
            filed_by=known(self.filed_by),
            also_filed_by=[] if self.also_filed_by is UNSTATED else self.also_filed_by,
            cleared_at=self.cleared_at,
            fault_count=self.fault_count,
            number=None if self.number is UNSTATED else self.number,
        )

    @property
    def sentence(self) -> str:
        return f"opened with {count(len(self.faults), 'message')}{_edited(self.edited)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultsCounted(ClaimEvent):
    """More faults, or clears, are counted by an open claim.

    The earliest fault speaks for it, whenever it comes.
    """

    KIND = "claim.faults_counted"
    PART = COUNTED
    LEADS_TO = (steps.Verify, steps.Submit, steps.Detect)

    faults: list[str]
    fault_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    cleared_at: datetime | None
    connector_id: Stated[int] = UNSTATED
    zone: Stated[str | None] = UNSTATED
    affected_user: Stated[str | None] = UNSTATED
    reservation_id: Stated[str | None] = UNSTATED
    session_id: Stated[str | None] = UNSTATED
    also_filed_by: Stated[list[str]] = UNSTATED
    edited: Stated[Edits] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        claim.fault_count, claim.cleared_at = self.fault_count, self.cleared_at
        claim.first_seen_at, claim.last_seen_at = self.first_seen_at, self.last_seen_at
        self.state(claim, *DETAILS, "also_filed_by")

    @property
    def sentence(self) -> str:
        more = f"{count(len(self.faults), 'message')} more{_edited(self.edited)}"
        return f"{more}; {count(self.fault_count, 'fault')} in all"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldDownEnded(ClaimEvent):
    """Base of the ends of a hold-down."""

    cleared_at: Stated[datetime | None] = UNSTATED
    episodes: Stated[int] = UNSTATED

    @property
    def _episodes(self) -> str:
        several = self.episodes is not UNSTATED and self.episodes > 1
        return f" ({count(self.episodes, 'episode')})" if several else ""  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSubmitted(HoldDownEnded):
    """The error lasted as long as its hold-down, or flapped."""

    KIND = "claim.submitted"
    LEADS_TO = (steps.Verify,)

    why: Stated[str] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        claim.status = SUBMITTED

    @property
    def sentence(self) -> str:
        happened = "the fault flaps" if self.why == "flapping" else "the fault outlasted its hold-down"
        return f"{happened}{self._episodes}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLapsed(HoldDownEnded):
    """The error cleared in time and stayed away: there is no claim."""

    KIND = "claim.lapsed"

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        claim.status, claim.closed_at = WITHDRAWN, at

    @property
    def sentence(self) -> str:
        return "the fault cleared while it was observed; it becomes no claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimVerified(ClaimEvent):
    """The verifier gave a verdict.

    `outcome` is eligible, ineligible or insufficient, and `answers` are the results of the rules, JSON-ready. The
    details of the spot are those that its registrations state, where they are news to the claim. `faults_digest`
    is over the rows of the faults that opened the claim; each answer has that of a usage record that it rests on.
    Who edited such a record before its replay shaped the verdict, and is from then on among those who filed.
    """

    KIND = "claim.verified"
    LEADS_TO = (steps.Route, steps.Verify, steps.Announce, steps.CheckClocks)

    outcome: str
    answers: list[dict[str, Any]]
    clocks: Stated[ClockChange] = UNSTATED
    zone: Stated[str] = UNSTATED
    site: Stated[str] = UNSTATED
    model: Stated[str] = UNSTATED
    firmware: Stated[str] = UNSTATED
    faults_digest: Stated[str] = UNSTATED
    also_filed_by: Stated[list[str]] = UNSTATED

    def apply(self, claim: Claim, at: datetime, actor: str) -> None:
        before = SUBMITTED if claim.status is UNSTATED else claim.status  # type: ignore[comparison-overlap]
        claim.status = after(before, VERDICTS[self.outcome])
        if before == UNDER_REVIEW != claim.status:
            claim.stage, claim.stages, claim.approved_by, claim.escalated_to = 0, [], [], None
        if self.clocks is not UNSTATED:
            self.clocks.apply(claim)
        self.state(claim, *SPOT_DETAILS, "also_filed_by")
        claim.verdict_seq = claim.version + 1

    @property
    def sentence(self) -> str:
        decisive = [answer for answer in self.answers if answer["result"] != "pass"] or self.answers[-1:]
        clocks = "" if self.clocks is UNSTATED else self.clocks.words
        return f"found {self.outcome}: {''.join(it['sentence'] for it in decisive[:1])}{clocks}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimNotified(ClaimEvent):
    """A message about the claim reached a destination."""

    KIND = "claim.announced"

    delivery: str
    destination: str
    event: str

    @property
    def sentence(self) -> str:
        return f"notified {self.destination}"


@dataclass(frozen=True, slots=True)
class ClaimRestated(Restated[Claim]):
    """Every column of the claim was stated anew."""

    KIND = "claim.restated"
    RECORD = Claim


EVENTS: Final = (
    ClaimOpened,
    FaultsCounted,
    ClaimSubmitted,
    ClaimLapsed,
    ClaimVerified,
    ClaimNotified,
    ClaimRestated,
)
