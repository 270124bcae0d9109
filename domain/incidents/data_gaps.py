"""Hours of which nothing is known, because a place fell silent while others went on: no hours without errors."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

# How many usage records must be missing: of fifteen expected, none at all come once in three million times.
_TELLING: Final = 15.0
# How many hours tell what is usual.
_FEWEST: Final = 3


def unknown_hours(
    sessions: Mapping[datetime, int], hours: Sequence[datetime], hour_of_week: Callable[[datetime], int]
) -> list[datetime]:
    """Those of `hours` that are unknown of a place, of all in which anything was heard from anywhere, in order.

    `sessions` has the hours in which anything was heard from the place's spots, a usage record or a fault raised
    or cleared, with how many usage records it was. What is in none is silent. Silent hours that follow each other
    are unknown if fifteen usage records or more were to be expected in them together, by what came on average in
    the same hours of other weeks, silent ones included and the fullest one left out. So a single hour may be
    enough where much is going on, and where there is little, or only faults are heard, a silent hour is one
    without errors, as it is wherever less than three weeks tell what is usual.
    """
    counts: dict[int, list[int]] = defaultdict(list)
    for hour in hours:
        counts[hour_of_week(hour)].append(sessions.get(hour, 0))
    usual = {slot: _usual(numbers) for slot, numbers in counts.items()}
    unknown: list[datetime] = []
    for silent, run in groupby(hours, key=lambda hour: hour not in sessions):
        together = list(run)
        if silent and sum(usual[hour_of_week(hour)] for hour in together) >= _TELLING:
            unknown += together
    return unknown


def _usual(numbers: Sequence[int]) -> float:
    return (sum(numbers) - max(numbers)) / (len(numbers) - 1) if len(numbers) >= _FEWEST else 0.0
