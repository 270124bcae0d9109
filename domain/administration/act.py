"""Defines the base of administrative acts, which are audit events.

Each states every column of its thing as the act left it, so that nothing of it can be altered unseen.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from domain.audit.event import Restated

SUBJECT_KIND: Final = "administration"


class Act(Restated[Any]):
    """Base of administrative acts. `THING` is what people call that which they are about."""

    __slots__ = ()
    THING: ClassVar[str]

    def _minute(self, name: str) -> str:
        moment: datetime = self.columns[name]
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
