"""The claim: one for a spot and an error code while it is open, however many faults report it."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.audit import chain as audit

SpotAndCode = tuple[str, str]


@dataclass(slots=True)
class Claim:
    """The state of a claim; folding its audit events gives the same row.

    `version` is the number of its audit events and `head` the hash of the last one, 64 hexadecimal digits. `stage`
    counts from 1 within `stages` (the roles that must approve, in order) while under review, else 0. `filed_by`
    filed the first report, where somebody vouched for it, and `also_filed_by` others that were counted.
    `approved_by` holds who passed the stages so far, and `escalated_to` the authority that a late stage was opened
    to as well. `reopened` counts how often the claim was closed and taken up again. `verdict_seq` names the audit
    event that holds the verdict; 0 while there is none. `evidence_digest` is that of the evidence set (see
    `domain.evidence.item.digest`); empty while nothing is filed.

    Verification binds the claim's clocks (`domain.claims.sla`): from then on `time_zone` is set, `policy_version`
    is the one that bound them, and the due dates are None only while a pause keeps them open. `pauses` holds the
    moments at which the clocks were paused and resumed in turn; `sla_alerts` what they set off, such as
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
    head: str = audit.GENESIS
    evidence_digest: str = ""

    def was_filed_by(self, name: str) -> bool:
        """Whether this person or program filed any of the reports that the claim counts."""
        return name == self.filed_by or name in self.also_filed_by

    @property
    def within_sla(self) -> bool:
        """Whether a closed claim was closed in time."""
        return self.closed_at is not None and (
            self.resolve_due_at is None or self.closed_at <= self.resolve_due_at
        )

    @property
    def standing(self) -> str:
        """Where the claim stands, so that news of it can be told from older news, and one review from the next.

        What is reviewed anew was closed or waited meanwhile, which its clocks have as a pause.
        """
        escalated = f":{self.escalated_to}" if self.escalated_to else ""
        resumed = len(self.pauses) // 2
        again = f":resumed {resumed}" if resumed else ""
        return f"{self.status}:{self.stage}{escalated}{again}"
