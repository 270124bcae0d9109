"""Hours of which nothing is known, because a place fell silent while others went on: no hours without errors."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from statistics import median
from typing import Final

# How many sessions tell that none at all is no chance: of five expected, none come once in 150 times.
_TELLING: Final = 5
# How many hours must have told it.
_FEWEST: Final = 3


def unknown_hours(
    sessions: Mapping[datetime, int], hours: Sequence[datetime], hour_of_week: Callable[[datetime], int]
) -> list[datetime]:
    """Those of `hours` that are unknown of a place, of all in which anything was heard from anywhere, in order.

    `sessions` has the hours in which anything was heard from the place's spots, a usage record or a fault raised
    or cleared, with how many usage records it was. What is in none is silent. Silent hours that follow each other
    are unknown if one of them is at an hour of the week at which, whenever anything was heard, five or more usage
    records came more often than not, and which was heard at least three times. A place that has never so many, as
    one of a few spots, or one of which only faults are heard, is never taken for dead: there a silent hour is one
    without errors, unless nothing was heard from anywhere.
    """
    heard: dict[int, list[int]] = defaultdict(list)
    for hour in hours:
        if hour in sessions:
            heard[hour_of_week(hour)].append(sessions[hour])
    busy = {slot for slot, counts in heard.items() if len(counts) >= _FEWEST and median(counts) >= _TELLING}
    unknown: list[datetime] = []
    for silent, some in groupby(hours, key=lambda hour: hour not in sessions):
        together = list(some)
        if silent and any(hour_of_week(hour) in busy for hour in together):
            unknown += together
    return unknown
