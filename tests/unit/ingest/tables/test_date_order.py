"""Tables with swapped days and months get a warning; sound ones get none."""

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import pytest

from ingest.tables.date_order import TableTimes

Session = tuple[datetime, datetime]


def sessions(first: datetime, days: int) -> list[Session]:
    """Eight sessions a day, one after the other, at one connector."""
    starts = [first + timedelta(hours=3 * n) for n in range(8 * days)]
    return [(start, start + timedelta(hours=2)) for start in starts]


def swapped(moment: datetime) -> datetime:
    """Day and month the other way round, where that is a date: what programs do that guess."""
    return moment.replace(day=moment.month, month=moment.day) if moment.day <= 12 else moment


def both_swapped(session: Session) -> Session:
    return swapped(session[0]), swapped(session[1])


def start_swapped(session: Session) -> Session:
    return swapped(session[0]), swapped(session[0]) + (session[1] - session[0])


def warnings(times: Iterable[Session]) -> list[str]:
    table = TableTimes()
    for start, end in times:
        table.note("S1", start, end)
    return list(table.warnings())


@pytest.mark.parametrize("first", [datetime(2025, 1, 1), datetime(2025, 3, 9), datetime(2025, 12, 20)])
@pytest.mark.parametrize("days", [1, 6, 12, 31, 45, 370])
def test_a_sound_table(first: datetime, days: int) -> None:
    """However short, wherever in the month it begins and ends, and in whatever order."""
    table = sessions(first, days)
    random.Random(7).shuffle(table)
    assert warnings(table) == []


@pytest.mark.parametrize("swap", [both_swapped, start_swapped])
@pytest.mark.parametrize(("first", "days"), [(datetime(2025, 3, 1), 31), (datetime(2025, 2, 5), 100)])
def test_dates_that_fall_outside_the_table_s_own_span(
    swap: Callable[[Session], Session], first: datetime, days: int
) -> None:
    """Days up to the twelfth land in other months; the rest show which months the table is about."""
    [warning] = warnings(map(swap, sessions(first, days)))
    assert warning.startswith("Day and month may be swapped (see date_format in the mapping): ")
    assert "lie outside the span of all others" in warning


def test_overlaps_that_appear() -> None:
    """Over a whole year no date is outside, but sessions over midnight become months and lie on all others."""
    # Given a year with one session over midnight every night
    table = sessions(datetime(2025, 1, 1, 1, 30), 365)
    assert warnings(table) == []
    # When its days and months are swapped
    [warning] = warnings(map(both_swapped, table))
    # Then the overlaps are counted both ways
    assert "sessions overlap another on their connector as read" in warning


def test_months_without_their_later_days() -> None:
    """What is left when the wrong form of dates refuses every day after the twelfth."""
    table = [both_swapped(each) for each in sessions(datetime(2025, 1, 1), 365) if each[0].day <= 12]
    [warning] = warnings(table)
    assert "none is after the 12th" in warning


def test_days_without_times() -> None:
    """Every session begins at midnight: its times are elsewhere."""
    midnights = [(datetime(2025, 3, 14) + timedelta(days=n),) * 2 for n in range(12)]
    assert warnings(midnights) == [
        "Every time is midnight: the table may state days only, or its times in another column (see joined in the"
        " mapping)."
    ]


def test_times_at_the_ends_of_the_calendar() -> None:
    """Controllers without a clock write them."""
    table = TableTimes()
    table.note("S1", datetime.min, datetime.max)
    assert table.span == (datetime.min, datetime.min)
