"""The claim: one for a spot and an error code while it is open, however many faults report it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import audit

SpotAndCode = tuple[str, str]


@dataclass(slots=True)
class Claim:
    """The state of a claim; folding its audit events gives the same row.

    `version` is the number of its audit events and `head` the hash of the last one, 64 hexadecimal digits.
    `stage` counts from 1 within `stages` (the roles that must approve, in order) while under review, else 0.
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
    resolve_due_at: datetime
    policy_version: str
    connector_id: int = 0
    zone: str | None = None
    affected_user: str | None = None
    reservation_id: str | None = None
    session_id: str | None = None
    filed_by: str | None = None
    cleared_at: datetime | None = None
    closed_at: datetime | None = None
    fault_count: int = 0
    stage: int = 0
    stages: list[str] = field(default_factory=list)
    verdict: dict[str, Any] | None = None
    version: int = 0
    head: str = audit.GENESIS

    @property
    def standing(self) -> str:
        """Where the claim stands, so that news of it can be told from older news."""
        return f"{self.status}:{self.stage}"
