"""Looks up from how many distinct spots on one error is an incident.

Thresholds were learnt for each place and hour of the week.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from domain.incidents.windows import Group
from domain.policy.policy import CAPACITY_SHARE, FEWEST_SPOTS

HOURS: Final = 168
_COLD_DAYS: Final = 21
# Every offset from UTC in use is a multiple of this, so the hour of the week is the same within one.
_QUARTER_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class Place:
    """A zone or a model: its spots, its time zone, and its observed days.

    `time_zone` is an IANA name.
    """

    capacity: int
    time_zone: str = "UTC"
    days: float = 0.0


@dataclass(frozen=True)
class Thresholds:
    """Implements `domain.incidents.windows.Threshold`, never below `fewest`.

    `table` holds a threshold for each hour of the week on the clock of a series' place, 168 numbers from Monday
    on; a series that is not in it has the fewest all week. A place, known by its kind and name, that was observed
    for less than `cold_days` has no baseline: its threshold is a share of its capacity.
    """

    places: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    table: Mapping[Group, Sequence[int]] = field(default_factory=dict)
    fewest: int = FEWEST_SPOTS
    cold_share: float = CAPACITY_SHARE
    cold_days: float = _COLD_DAYS

    def __call__(self, group: Group, at: datetime) -> int:
        place = self.places.get((group.kind, group.place))
        if place is None:
            return self.fewest
        if place.days < self.cold_days:
            return max(self.fewest, math.ceil(self.cold_share * place.capacity))
        week = self.table.get(group)
        return max(self.fewest, week[hour_of_week(at, place.time_zone)]) if week else self.fewest


def hour_of_week(at: datetime, time_zone: str) -> int:
    """Returns the hour of the week in a time zone: 0 to 167, from Monday.

    `time_zone` is an IANA name.
    """
    return _hour_of_week(int(at.timestamp()) // _QUARTER_SECONDS, time_zone)


@lru_cache(maxsize=4096)
def _hour_of_week(quarter: int, time_zone: str) -> int:
    local = datetime.fromtimestamp(quarter * _QUARTER_SECONDS, ZoneInfo(time_zone))
    return local.weekday() * 24 + local.hour
