"""Finds data gaps: hours in which a place was silent while others went on.

They are unknown, and not hours without errors.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

# How many usage records must be missing: where fifteen are expected, none come once in three million times.
_TELLING: Final = 15.0
# How many weeks an average takes.
_FEWEST: Final = 3


def unknown_hours(
    sessions: Mapping[datetime, int], hours: Sequence[datetime], hour_of_week: Callable[[datetime], int]
) -> list[datetime]:
    """Finds the data gaps of a place among `hours`, in order.

    `hours` are all in which anything was heard from anywhere. `sessions` has those in which anything was heard
    from the place's spots, a usage record or a fault raised or cleared, with the number of usage records; the
    others are silent. Silent hours in a row are unknown if fifteen usage records or more were to be expected in
    them together: the average of the same hours of other weeks, silent ones included and the fullest one left out.
    So one hour may be enough where usage is heavy. Where it is light, or only faults are heard, a silent hour is
    one without errors, and so it is where less than three weeks make the average.
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
