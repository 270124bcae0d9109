"""Demand by the hour of the week, in the site's local time."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from ingest.simulator.chance import Chance
from ingest.simulator.moments import HOUR, MINUTE, SECOND

_WORKDAY: Final = (4, 3, 2, 2, 3, 6, 12, 22, 30, 30, 28, 28, 30, 29, 28, 30, 36, 44, 46, 40, 30, 22, 14, 8)
_SATURDAY: Final = (6, 5, 4, 3, 3, 4, 6, 10, 17, 25, 32, 36, 37, 36, 35, 34, 33, 32, 30, 27, 22, 17, 13, 9)
_SUNDAY: Final = (7, 6, 4, 3, 3, 4, 5, 8, 12, 19, 26, 30, 31, 31, 31, 32, 33, 34, 31, 26, 20, 15, 10, 7)
_WEEK: Final = _WORKDAY * 5 + _SATURDAY + _SUNDAY
# Every UTC offset in use is a multiple of this, so the hour of the week is constant within it.
_QUARTER: Final = 15 * MINUTE

PROFILE: Final = tuple(weight * len(_WEEK) / sum(_WEEK) for weight in _WEEK)
"""Demand in each hour of the week, Monday first; 1 on average."""
PEAK: Final = max(PROFILE)


def demand(time_zone: str, at: int) -> float:
    """Returns the demand at a moment, as a multiple of the week's average."""
    return PROFILE[_hour_of_week(time_zone, at // _QUARTER)]


def arrivals(
    chance: Chance, start: int, an_hour: float, factor: Callable[[int], float], highest: float
) -> Iterator[int]:
    """Yields random moments after `start` without end.

    On average `an_hour` times `factor(moment)` of them in an hour. `highest` is the maximum of the factor:
    candidates come at that rate, and the factor decides on each (thinning; Lewis and Shedler, 1979).
    """
    at, gap = float(start), HOUR / (an_hour * highest)
    while True:
        at += chance.exponential(gap)
        moment = int(at)
        if chance.happens(factor(moment) / highest):
            yield moment


@lru_cache(maxsize=4096)
def _hour_of_week(time_zone: str, quarter: int) -> int:
    local = datetime.fromtimestamp(quarter * _QUARTER // SECOND, ZoneInfo(time_zone))
    return local.weekday() * 24 + local.hour
