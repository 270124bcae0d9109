"""Examines all times of a table, to detect swapped days and months."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

_DAY: Final = 86_400
# Fewer times than these do not suffice for a judgement.
_FEW: Final = 10
_SHARE_OUTSIDE: Final = 0.05
_SHARE_OVERLAPPING: Final = 0.02
_MONTHS_WITHOUT_THIRTEENTH: Final = 3
_SWAPPED: Final = "Day and month may be swapped (see date_format in the mapping): "

_Reading = Callable[[int], int]


class TableTimes:
    """Collects each row's local times, regardless of their zone."""

    def __init__(self) -> None:
        self._starts, self._ends, self._places = array("q"), array("q"), array("q")
        self._known: dict[object, int] = {}

    def note(self, place: object, start: datetime, end: datetime | None) -> None:
        """Adds when something began at a place (a connector), and when it ended, if known."""
        began = _seconds(start)
        self._starts.append(began)
        self._ends.append(began if end is None else _seconds(end))
        self._places.append(self._known.setdefault(place, len(self._known)))

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """Returns the earliest and the latest start."""
        if not self._starts:
            return None
        return _moment(min(self._starts)), _moment(max(self._starts))

    def warnings(self) -> Iterator[str]:
        """Yields sentences on odd times, if there are enough to judge."""
        if len(self._starts) < _FEW:
            return
        if not any(start % _DAY for start in self._starts):
            yield (
                "Every time is midnight: the table may state days only, or its times in another column (see"
                " joined in the mapping)."
            )
        swapped = next(
            filter(None, (look() for look in (self._months_cut_short, self._outside, self._overlapping))), None
        )
        if swapped:
            yield _SWAPPED + swapped

    def _days(self) -> Counter[int]:
        return Counter(start // _DAY for start in self._starts)

    def _months_cut_short(self) -> str | None:
        dates = [date.fromordinal(day) for day in self._days()]
        months = {(day.year, day.month) for day in dates}
        if len(months) < _MONTHS_WITHOUT_THIRTEENTH or any(day.day > 12 for day in dates):
            return None
        return f"of {len(dates):,} days in {len(months):,} months none is after the 12th."

    def _outside(self) -> str | None:
        """Compares ambiguous dates with the span of the unambiguous ones."""
        days = self._days()
        sure = [day for day in days if date.fromordinal(day).day > 12]
        if not sure:
            return None
        # A table may well begin or end within the first twelve days of a month.
        first, last = min(sure) - 12, max(sure) + 12
        ambiguous = sum(days.values()) - sum(days[day] for day in sure)
        strays = [day for day in days if not first <= day <= last and first <= _swapped(day) <= last]
        outside = sum(days[day] for day in strays)
        if outside <= max(_FEW / 2, _SHARE_OUTSIDE * ambiguous):
            return None
        return (
            f"{outside:,} of {ambiguous:,} dates that can be read both ways lie outside the span of all others"
            f" ({date.fromordinal(first)} to {date.fromordinal(last)}), and within it the other way round."
        )

    def _overlapping(self) -> str | None:
        as_read, swapped = self._overlaps(lambda day: day), self._overlaps(_swapped)
        if as_read - swapped <= max(_FEW / 2, _SHARE_OVERLAPPING * len(self._starts)):
            return None
        return f"{as_read:,} sessions overlap another on their connector as read, {swapped:,} the other way round."

    def _overlaps(self, reading: _Reading) -> int:
        sessions: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for place, start, end in zip(self._places, self._starts, self._ends, strict=True):
            if end > start:
                sessions[place].append((_read(start, reading), _read(end, reading)))
        return sum(_overlaps_among(sorted(at_one_place)) for at_one_place in sessions.values())


def _overlaps_among(sessions: list[tuple[int, int]]) -> int:
    return sum(later[0] < earlier[1] for earlier, later in pairwise(sessions))


def _seconds(moment: datetime) -> int:
    return moment.toordinal() * _DAY + moment.hour * 3600 + moment.minute * 60 + moment.second


def _moment(seconds: int) -> datetime:
    day, second = divmod(seconds, _DAY)
    return datetime.combine(date.fromordinal(day), time()) + timedelta(seconds=second)


def _read(seconds: int, reading: _Reading) -> int:
    return reading(seconds // _DAY) * _DAY + seconds % _DAY


@lru_cache(maxsize=65536)
def _swapped(day: int) -> int:
    """Returns the day with day and month swapped; itself where that is no date."""
    read = date.fromordinal(day)
    if read.day > 12:
        return day
    return date(read.year, read.day, read.month).toordinal()
