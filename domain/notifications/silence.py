"""Silences and maintenance windows: what is not told for a while, because somebody said so."""

from dataclasses import dataclass
from datetime import datetime

from domain.notifications.notice import News


@dataclass(frozen=True, slots=True)
class Silence:
    """Who silenced what, why, from when until when. Empty conditions fit everything.

    What it covers is decided upon and logged as ever, and not sent.
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

    def covers(self, news: News, destination: str) -> bool:
        """Whether this news is not told to this destination while the silence lasts."""
        conditions = (
            (news.code, self.codes),
            (news.severity, self.severities),
            (news.claim_type, self.claim_types),
            (news.zone, self.zones),
            (destination, self.destinations),
        )
        return all(value in wanted for value, wanted in conditions if wanted)

    @property
    def told(self) -> str:
        """The silence in one line, for the log of what it silenced."""
        return f"silenced by {self.created_by} until {self.ends_at:%Y-%m-%d %H:%M} UTC: {self.why}"
