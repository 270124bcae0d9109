"""Defines the claim: one for each spot and error code while it is open."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.audit.chain import GENESIS

SpotAndCode = tuple[str, str]


@dataclass(slots=True)
class Claim:
    """The state of a claim; applying its audit events leads to the same state.

    See `domain.claims.events`. `version` is the number of its audit events and `head` the hash of the last one, 64
    hexadecimal digits. `stage` counts from 1 within `stages` (the roles that must approve, in order) while under
    review, else 0. `filed_by` filed the first report, where somebody vouched for it, and `also_filed_by` others
    that were counted. `number` is what people call it; None if it was opened before there were numbers.
    `approved_by` holds who passed the stages so far, and `escalated_to` the authority that a
    late stage was opened to as well. `reopened` counts how often the claim was closed and reopened. `verdict_seq`
    names the audit event that holds the verdict; 0 while there is none. `evidence_digest` is that of the evidence
    set (see `domain.evidence.item.digest`); empty while nothing is filed. `zone` is the one that the earliest
    report states, or else the one that the spot is registered in; `site`, `model` (with its vendor) and `firmware`
    are those that verification finds registered first. `duplicate_of` is the claim that a duplicate's reports and
    evidence follow to.

    Verification binds the claim's clocks (`domain.claims.sla`): from then on `time_zone` is set, `policy_version`
    is the version that bound them, and the due dates are None only while a pause keeps them open. `pauses` holds
    the moments at which the clocks were paused and resumed in turn; `sla_alerts` the alerts they fired, such as
    `resolve.warned`.
    """

    id: str
    spot_id: str
    code: str
    claim_type: str
    severity: str
    status: str
    opened_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    policy_version: str
    connector_id: int = 0
    zone: str | None = None
    affected_user: str | None = None
    reservation_id: str | None = None
    session_id: str | None = None
    filed_by: str | None = None
    also_filed_by: list[str] = field(default_factory=list)
    cleared_at: datetime | None = None
    closed_at: datetime | None = None
    fault_count: int = 0
    stage: int = 0
    stages: list[str] = field(default_factory=list)
    four_eyes: bool = False
    stage_hours: float | None = None
    approved_by: list[str] = field(default_factory=list)
    escalated_to: str | None = None
    reopened: int = 0
    verdict_seq: int = 0
    time_zone: str | None = None
    acknowledge_due_at: datetime | None = None
    resolve_due_at: datetime | None = None
    acknowledged_at: datetime | None = None
    pauses: list[datetime] = field(default_factory=list)
    sla_alerts: list[str] = field(default_factory=list)
    version: int = 0
    head: str = GENESIS
    evidence_digest: str = ""
    site: str | None = None
    model: str | None = None
    firmware: str | None = None
    number: str | None = None
    duplicate_of: str | None = None

    @property
    def name(self) -> str:
        """Returns what people call it."""
        return self.number or self.id

    def was_filed_by(self, name: str) -> bool:
        """Checks whether this person or program filed any of the counted reports."""
        return name == self.filed_by or name in self.also_filed_by

    @property
    def within_sla(self) -> bool:
        """Checks whether a closed claim was closed in time."""
        return self.closed_at is not None and (
            self.resolve_due_at is None or self.closed_at <= self.resolve_due_at
        )

    @property
    def paused(self) -> bool:
        """Checks whether the clocks are paused."""
        return len(self.pauses) % 2 == 1

    @property
    def state_key(self) -> str:
        """Returns the optimistic token of status, stage and pauses.

        A step for an earlier state finds another token and leaves the claim alone. A claim that is reviewed again
        was closed or waited in between, and its clocks have that as a pause.
        """
        escalated = f":{self.escalated_to}" if self.escalated_to else ""
        resumed = len(self.pauses) // 2
        again = f":resumed {resumed}" if resumed else ""
        return f"{self.status}:{self.stage}{escalated}{again}"
