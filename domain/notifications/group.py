"""Defines the notification group: notices that share digests at one destination."""

from dataclasses import dataclass
from datetime import datetime

from domain.policy.policy import GroupPolicy


@dataclass(slots=True)
class NotificationGroup:
    """The notices of one event and error for one destination.

    Its id follows from these, so that there is one. `messages` counts those since it was idle. After the last one
    its window is open until `open_until`, so that it collects; `collecting` is the delivery that it collects in.
    What quiet hours hold back is a group of its own (`held`), so that it delays nothing else.
    """

    id: str
    destination: str
    event: str
    code: str
    held: bool = False
    messages: int = 0
    open_until: datetime | None = None
    collecting: str | None = None

    def is_open(self, now: datetime) -> bool:
        """Checks whether notices wait for the next digest."""
        return self.open_until is not None and now < self.open_until

    def is_idle(self, now: datetime, policy: GroupPolicy) -> bool:
        """Checks whether it was quiet long enough to begin anew.

        The next message is a first one again, and goes at once.
        """
        return self.open_until is None or now >= self.open_until + policy.delay(self.messages)
