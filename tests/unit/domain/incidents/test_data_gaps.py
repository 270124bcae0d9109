"""When a silent hour of a place is unknown, and when it is one without errors."""

from datetime import datetime, timedelta

import pytest

from domain.incidents.data_gaps import unknown_hours
from tests.builders import NOW

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
WEEKS = 8
HOURS = [NOW - WEEKS * WEEK + number * HOUR for number in range(WEEKS * 168)]


def slot(hour: datetime) -> int:
    return hour.weekday() * 24 + hour.hour


def by_day(number: int) -> dict[datetime, int]:
    """So many sessions in each hour from eight to eight, and none at night."""
    return {hour: number for hour in HOURS if 8 <= hour.hour < 20}


def test_a_busy_place_that_falls_silent_is_unknown_until_it_is_heard_again() -> None:
    """With the night in between, of which nothing is known either; other nights are silent as ever."""
    sessions = by_day(20)
    gone = [hour for hour in HOURS if NOW - 4 * WEEK <= hour < NOW - 4 * WEEK + 48 * HOUR]
    for hour in gone:
        sessions.pop(hour, None)

    assert unknown_hours(sessions, HOURS, slot) == gone


@pytest.mark.parametrize(
    ("usual", "hours", "unknown"),
    [(1, 1, 0), (14, 1, 0), (20, 1, 1), (4, 3, 0), (4, 6, 6), (1, 12, 0), (1, 72, 72)],
)
def test_a_place_of_few_reports_may_have_none_for_a_while(usual: int, hours: int, unknown: int) -> None:
    """Fifteen that are missing are so many that it is no chance, in one hour or in some days."""
    sessions = by_day(usual)
    for number in range(hours):
        sessions.pop(NOW - 4 * WEEK + number * HOUR, None)

    assert len(unknown_hours(sessions, HOURS, slot)) == unknown


def test_what_was_silent_most_of_the_time_is_not_taken_for_usual() -> None:
    """Two weeks of eight tell how much comes when anything does; one would not."""
    for weeks, expected in ((2, 6 * 168), (1, 0)):
        begin = NOW - weeks * WEEK
        sessions = {hour: count for hour, count in by_day(20).items() if hour >= begin}

        assert len([hour for hour in unknown_hours(sessions, HOURS, slot) if hour < begin]) == expected


def test_one_loud_hour_does_not_make_others_busy() -> None:
    """Whatever made it so."""
    sessions = by_day(1)
    sessions[NOW - WEEK] = 500
    del sessions[NOW - 5 * WEEK]

    assert unknown_hours(sessions, HOURS, slot) == []


def test_two_weeks_do_not_tell_what_is_usual() -> None:
    """Three do."""
    for weeks, expected in ((2, 0), (3, 1)):
        sessions = by_day(40)
        del sessions[NOW - WEEK]

        assert len(unknown_hours(sessions, HOURS[-weeks * 168 :], slot)) == expected


def test_where_only_faults_are_heard_no_hour_is_unknown() -> None:
    """A fault breaks a silence, and does not tell how much comes usually."""
    assert unknown_hours(by_day(0), HOURS, slot) == []
    sessions = by_day(20)
    sessions[NOW - WEEK] = 0
    assert unknown_hours(sessions, HOURS, slot) == []


def test_hours_without_data_from_anywhere_do_not_part_a_silence() -> None:
    """They are not among the hours at all."""
    sessions = by_day(4)
    gone = [NOW - 4 * WEEK + number * HOUR for number in range(-2, 5)]
    for hour in gone:
        sessions.pop(hour, None)
    hours = [hour for hour in HOURS if hour not in gone[2:4]]

    assert unknown_hours(sessions, hours, slot) == [*gone[:2], *gone[4:]]
