"""Counts the distinct spots of a place that show one error.

They are counted in a sliding window of event time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

ZONE: Final = "zone"
MODEL: Final = "model"
KINDS: Final = (ZONE, MODEL)


class Group(NamedTuple):
    """The key of a series: an error code on the spots of one place.

    `kind` is `zone` or `model`.
    """

    code: str
    kind: str
    place: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A spot showed an error at a moment.

    `model` names the firmware too; an unregistered spot has none.
    """

    code: str
    spot_id: str
    at: datetime
    zone: str | None = None
    model: str | None = None
    claim_id: str = ""

    @property
    def groups(self) -> Iterable[Group]:
        """Iterates over the series that it counts in."""
        if self.zone:
            yield Group(self.code, ZONE, self.zone)
        if self.model:
            yield Group(self.code, MODEL, self.model)


@dataclass(frozen=True, slots=True)
class Window:
    """The distinct spots in a series' window, and its first and last sighting.

    The window ends with the newest event of its series, so a place that was cut off is evaluated by its own time;
    late events are evaluated by the fullest window that they belong to.
    """

    spots: int
    first: datetime
    last: datetime


NewestBySpot = Mapping[str, datetime]

Threshold = Callable[[Group, datetime], int]
"""From how many distinct spots on a group is an incident, if its window ends at this moment."""


class Windows(Protocol):
    """Holds the windows of all series.

    They are disposable: what they hold can be added again, in any order and more than once.
    """

    def see(self, groups: Mapping[Group, NewestBySpot]) -> dict[Group, Window] | None:
        """Adds when spots last showed an error, and returns their series' windows.

        None when the windows were emptied since they were last filled. What is three windows older than the newest
        of its series is forgotten. Raises `TransientError`.
        """

    def fill(self, groups: Mapping[Group, NewestBySpot]) -> None:
        """Fills the windows again after they were emptied. Raises `TransientError`."""

    def spots(self, group: Group, window: Window) -> list[str]:
        """Returns the spots that this window of a series holds. Raises `TransientError`."""


def newest_by_group(sightings: Sequence[Sighting], now: datetime) -> dict[Group, dict[str, datetime]]:
    """Returns for each series when each spot showed its error last.

    A clock that runs ahead is taken for the present.
    """
    newest: dict[Group, dict[str, datetime]] = {}
    for sighting in sightings:
        at = min(sighting.at, now)
        for group in sighting.groups:
            spots = newest.setdefault(group, {})
            spots[sighting.spot_id] = max(at, spots.get(sighting.spot_id, at))
    return newest
