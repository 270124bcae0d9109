"""One error on many spots: how many distinct spots of a place show it in a sliding window of event time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

ZONE: Final = "zone"
MODEL: Final = "model"
KINDS: Final = (ZONE, MODEL)


class Group(NamedTuple):
    """What is counted together: an error code on the spots of one place, a `zone` or a `model`."""

    code: str
    kind: str
    place: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A spot showed an error at a moment. `model` names the firmware too; an unregistered spot has none."""

    code: str
    spot_id: str
    at: datetime
    zone: str | None = None
    model: str | None = None
    claim_id: str = ""

    @property
    def groups(self) -> Iterable[Group]:
        """Where it counts."""
        if self.zone:
            yield Group(self.code, ZONE, self.zone)
        if self.model:
            yield Group(self.code, MODEL, self.model)


@dataclass(frozen=True, slots=True)
class Window:
    """How many distinct spots a group's window holds, and when the first and the last of them showed the error.

    The window ends with the newest event of its group, so a place that was cut off is judged by its own time; what
    comes late is judged by the fullest window that it belongs to.
    """

    spots: int
    first: datetime
    last: datetime


NewestBySpot = Mapping[str, datetime]

Threshold = Callable[[Group, datetime], int]
"""From how many distinct spots on a group is an incident, if its window ends at this moment."""


class Windows(Protocol):
    """The windows of all groups. Disposable: what they hold can be told again, in any order and more than once."""

    def see(self, groups: Mapping[Group, NewestBySpot]) -> dict[Group, Window] | None:
        """Takes in when spots last showed an error, and returns the windows of these groups; None when they were
        emptied since they were last filled. What is three windows older than the newest of its group is forgotten.
        Raises `TransientError`."""

    def fill(self, groups: Mapping[Group, NewestBySpot]) -> None:
        """Fills them again, after which nothing is lost. Raises `TransientError`."""

    def spots(self, group: Group, window: Window) -> list[str]:
        """The spots that this window of a group holds. Raises `TransientError`."""


def newest_by_group(sightings: Sequence[Sighting], now: datetime) -> dict[Group, dict[str, datetime]]:
    """Of each group when each spot showed its error last. A clock that runs ahead is taken for the present."""
    newest: dict[Group, dict[str, datetime]] = {}
    for sighting in sightings:
        at = min(sighting.at, now)
        for group in sighting.groups:
            spots = newest.setdefault(group, {})
            spots[sighting.spot_id] = max(at, spots.get(sighting.spot_id, at))
    return newest
