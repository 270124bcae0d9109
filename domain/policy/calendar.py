"""Defines business calendars: when the hours of a service target run.

All times are whole microseconds on the UTC line, so they add up exactly whatever the clocks on the wall do.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

Span = tuple[time, time]
"""Begin and end, local time; `time.min` as the end means midnight."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
# A duration that takes longer has a calendar that never opens.
_MOST_YEARS = 200


@dataclass(frozen=True, slots=True)
class Calendar:
    """Opening hours by weekday, Monday first, in the site's time zone, with holidays.

    Without `week` the hours run around the clock, holidays included. An hour that the clocks skip begins when they
    have jumped; of an hour that comes twice the first counts. Time zones are IANA names.
    """

    name: str
    week: tuple[tuple[Span, ...], ...] = ()
    holidays: frozenset[date] = frozenset()

    def __hash__(self) -> int:
        """Hashes the name alone: calendars are looked up for every claim, and few share a name."""
        return hash(self.name)

    def between(self, begin: datetime, end: datetime, time_zone: str) -> timedelta:
        """Returns the opening time between two moments; negative when they come in reverse order."""
        if not self.week:
            return _MICROSECOND * (_count(end) - _count(begin))
        first, last = sorted((begin, end))
        # The local year may be another than that of UTC, by less than a day.
        years = range((first - _DAY).year, (last + _DAY).year + 1)
        tables = [_year(self, time_zone, year) for year in years]
        return _MICROSECOND * sum(
            table.open_until(_count(end)) - table.open_until(_count(begin)) for table in tables
        )

    def after(self, begin: datetime, duration: timedelta, time_zone: str) -> datetime:
        """Returns the first moment, in UTC, by which it was open for `duration` since `begin`.

        Raises `ValueError` for a negative duration and `OverflowError` for a moment out of sight.
        """
        if duration < timedelta(0):
            raise ValueError("A calendar does not look back.")
        if not self.week or not duration:
            return begin.astimezone(UTC) + duration
        return _after(self, begin.astimezone(UTC), duration, time_zone)

    @property
    def weekly(self) -> timedelta:
        """Returns the opening time of a week without holidays."""
        if not self.week:
            return timedelta(weeks=1)
        return sum((_length(span) for day in self.week for span in day), timedelta(0))


ALWAYS = Calendar("always")


@lru_cache(maxsize=1024)
def knows_zone(name: str | None) -> bool:
    """Checks whether this is the IANA name of a time zone."""
    try:
        return name is not None and ZoneInfo(name) is not None
    except (ValueError, LookupError, OSError):
        return False


@dataclass(frozen=True, slots=True)
class _Year:
    """The opening hours of one local year in order, in microseconds since 1970.

    `before` is how long it was open before each; it ends with the sum of them all.
    """

    begins: list[int]
    ends: list[int]
    before: list[int]

    def open_until(self, moment: int) -> int:
        """Returns the opening time of this year before a moment of any year."""
        place = bisect_right(self.begins, moment) - 1
        return 0 if place < 0 else self.before[place] + min(moment, self.ends[place]) - self.begins[place]

    def moment_of(self, open_time: int) -> int:
        """Returns when it was open so long since this year began; more than 0, at most all of it."""
        place = bisect_left(self.before, open_time) - 1
        return self.begins[place] + open_time - self.before[place]


# Claims of one batch share a moment, a target and mostly a zone.
@lru_cache(maxsize=4096)
def _after(calendar: Calendar, begin: datetime, duration: timedelta, time_zone: str) -> datetime:
    left, first = duration // _MICROSECOND, (begin - _DAY).year
    for year in range(first, first + _MOST_YEARS):
        table = _year(calendar, time_zone, year)
        passed = table.open_until(_count(begin))
        if passed + left <= table.before[-1]:
            return _EPOCH + _MICROSECOND * table.moment_of(passed + left)
        left -= table.before[-1] - passed
    raise OverflowError(f"The calendar {calendar.name} opens too rarely to ever reach {duration}.")


@lru_cache(maxsize=256)
def _year(calendar: Calendar, time_zone: str, year: int) -> _Year:
    zone = ZoneInfo(time_zone)
    first = date(year, 1, 1)
    days = (first + _DAY * number for number in range((date(year + 1, 1, 1) - first).days))
    spans = [
        (_instant(datetime.combine(day, begin), zone), _instant(_ending(day, end), zone))
        for day in days
        if day not in calendar.holidays
        for begin, end in calendar.week[day.weekday()]
    ]
    begins, ends = [begin for begin, _ in spans], [end for _, end in spans]
    return _Year(begins, ends, list(accumulate((end - begin for begin, end in spans), initial=0)))


def _ending(day: date, end: time) -> datetime:
    return datetime.combine(day + _DAY if end == time.min else day, end)


def _instant(wall: datetime, zone: ZoneInfo) -> int:
    """Returns when the clock on the wall first shows this, or has jumped over it."""
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return _count(moment)
    return _jump(_count(wall.replace(tzinfo=zone, fold=1)), _count(moment), zone)


def _jump(before: int, after: int, zone: ZoneInfo) -> int:
    """Finds when the zone's offset changed between two moments."""
    offset = _offset(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if _offset(middle, zone) == offset else (middle, after)
    return after


def _offset(moment: int, zone: ZoneInfo) -> timedelta | None:
    return (_EPOCH + _MICROSECOND * moment).astimezone(zone).utcoffset()


def _count(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _length(span: Span) -> timedelta:
    return _ending(date.min, span[1]) - datetime.combine(date.min, span[0])
