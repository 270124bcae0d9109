"""Defines the fault as the field reported it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

EARLIEST_PLAUSIBLE_YEAR: Final = 2010
"""Before, there were no charging spots to speak of."""

_CLOCK_TOLERANCE = timedelta(days=1)

STATED, RECEIVED, IMPLAUSIBLE = "stated", "received", "implausible"


@dataclass(slots=True)
class Fault:
    """One `spotclaim.fault.raised.v1` or `.cleared.v1` message, decoded and validated.

    `key` is the message's identity (see `domain.identifiers.message_key`). `occurred_at` is always usable: when
    the source states no time, or an impossible one, the time of reception replaces it and `time_quality` says so,
    with the original text in `stated_time`. `code` and `claim_id` are set by deduplication. `edited_by` names who
    changed the message before it was replayed from quarantine; the digest of the original bytes is
    `original_digest` (SHA-256, 64 hexadecimal digits). `unknown` holds the fields that this kind of message does
    not know, as they were sent.
    """

    key: str
    source: str
    message_id: str
    spot_id: str
    taxonomy: str
    raw_code: str
    occurred_at: datetime
    received_at: datetime
    time_quality: str = STATED
    stated_time: str | None = None
    cleared: bool = False
    connector_id: int = 0
    info: str | None = None
    zone: str | None = None
    affected_user: str | None = None
    reservation_id: str | None = None
    session_id: str | None = None
    description: str | None = None
    severity_hint: str | None = None
    evidence: list[dict[str, Any]] = field(default_factory=list)
    filed_by: str | None = None
    edited_by: list[str] = field(default_factory=list)
    original_digest: str | None = None
    unknown: dict[str, Any] | None = None
    code: str = ""
    claim_id: str | None = None


def settle_time(stated: datetime | None, received_at: datetime) -> tuple[datetime, str]:
    """Returns the time to use and its quality: `stated`, `received` or `implausible`."""
    if stated is None:
        return received_at, RECEIVED
    if stated.year < EARLIEST_PLAUSIBLE_YEAR or stated > received_at + _CLOCK_TOLERANCE:
        return received_at, IMPLAUSIBLE
    return stated, STATED
