"""A group of news: what belongs together for one destination, and how hot it is."""

from dataclasses import dataclass
from datetime import datetime

from domain.policy import Pace


@dataclass(slots=True)
class NewsGroup:
    """News of one event and error for one destination. Its id follows from these, so that there is one.

    It sent so many `messages` since it was cold, and gathers until `hot_until` after the last one; `gathering` is
    the delivery that it gathers in. What quiet hours hold is a group beside it, so that it delays nothing else.
    """

    id: str
    destination: str
    event: str
    code: str
    held: bool = False
    messages: int = 0
    hot_until: datetime | None = None
    gathering: str | None = None

    def is_hot(self, now: datetime) -> bool:
        """Whether news waits for the next digest."""
        return self.hot_until is not None and now < self.hot_until

    def is_cold(self, now: datetime, pace: Pace) -> bool:
        """Whether it was quiet for so long that the next message is a first one again."""
        return self.hot_until is None or now >= self.hot_until + pace.delay(self.messages)
