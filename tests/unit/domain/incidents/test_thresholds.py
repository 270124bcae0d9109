"""Thresholds: by place and hour of the week, and from capacity where there is no history."""

from datetime import UTC, datetime

import pytest

from domain.incidents.thresholds import HOURS, Place, Thresholds, hour_of_week
from domain.incidents.windows import ZONE, Group

GROUP = Group("POWER_FAILURE", ZONE, "harbour")
MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
WEEK = [3 + hour for hour in range(HOURS)]


def thresholds(place: Place, week: list[int] | None = None) -> Thresholds:
    return Thresholds({(ZONE, "harbour"): place}, {GROUP: week} if week else {})


@pytest.mark.parametrize(
    ("time_zone", "at", "hour"),
    [
        ("UTC", "2026-03-09T00:00:00Z", 0),
        ("UTC", "2026-03-08T23:59:59.999Z", 167),
        ("Asia/Kolkata", "2026-03-09T03:29:59Z", 8),
        ("Asia/Kolkata", "2026-03-09T03:30:00Z", 9),
        ("Europe/Berlin", "2026-03-23T08:00:00Z", 9),
        ("Europe/Berlin", "2026-03-30T08:00:00Z", 10),
    ],
)
def test_the_hour_of_the_week_is_that_of_the_place(time_zone: str, at: str, hour: int) -> None:
    """Whatever its clock does."""
    moment = datetime.fromisoformat(at)

    assert hour_of_week(moment, time_zone) == hour
    assert thresholds(Place(100, time_zone, 90), WEEK)(GROUP, moment) == 3 + hour


def test_what_has_no_thresholds_has_the_fewest() -> None:
    """A code that is usual nowhere there, and a place that nobody knows."""
    assert thresholds(Place(100, days=90))(GROUP, MONDAY) == 3
    assert Thresholds()(GROUP, MONDAY) == 3
    assert Thresholds(fewest=5)(GROUP, MONDAY) == 5


@pytest.mark.parametrize(("capacity", "threshold"), [(2, 3), (60, 3), (61, 4), (250, 13)])
def test_without_history_it_is_a_share_of_the_capacity(capacity: int, threshold: int) -> None:
    """One in twenty spots, rounded up; what little was learnt does not count."""
    assert thresholds(Place(capacity, days=20.9), WEEK)(GROUP, MONDAY) == threshold


def test_the_fewest_are_not_gone_below() -> None:
    """Also where history says less."""
    place = {(ZONE, "harbour"): Place(100, days=90)}

    assert Thresholds(place, {GROUP: [4] * HOURS}, fewest=6)(GROUP, MONDAY) == 6
