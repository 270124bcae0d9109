"""Defines silences: notifications that somebody switched off for a while.

Maintenance windows are silences too.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.notifications.notice import Notice


@dataclass(frozen=True, slots=True)
class Silence:
    """What somebody silenced, why, and from when until when.

    Empty conditions fit everything. What it covers is routed and logged as ever, and not sent.
    """

    id: str
    created_by: str
    why: str
    starts_at: datetime
    ends_at: datetime
    codes: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    claim_types: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()

    def covers(self, notice: Notice, destination: str) -> bool:
        """Checks whether the silence keeps this notice from this destination."""
        conditions = (
            (notice.code, self.codes),
            (notice.severity, self.severities),
            (notice.claim_type, self.claim_types),
            (notice.zone, self.zones),
            (destination, self.destinations),
        )
        return all(value in wanted for value, wanted in conditions if wanted)

    @property
    def reason(self) -> str:
        """Says in one line who silenced it and why, for the log."""
        return f"silenced by {self.created_by} until {self.ends_at:%Y-%m-%d %H:%M} UTC: {self.why}"
