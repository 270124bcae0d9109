"""Demand follows the clock of the site, across its changes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest

from ingest.simulator.chance import Chance
from ingest.simulator.demand import PEAK, PROFILE, arrivals, demand
from ingest.simulator.fleet import ZONES
from ingest.simulator.moments import DAY, milliseconds

WEEKS = 8


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.name)
def test_each_local_hour_has_its_demand(zone: object) -> None:
    """In every hour of a year, whatever the offset is then."""
    name = zone.time_zone  # type: ignore[attr-defined]
    for hour in range(0, 366 * 24, 5):
        moment = datetime(2026, 1, 1, 0, 20, tzinfo=UTC) + timedelta(hours=hour)
        local = moment.astimezone(ZoneInfo(name))
        assert demand(name, milliseconds(moment)) == PROFILE[local.weekday() * 24 + local.hour]


def test_the_week_has_one_on_average() -> None:
    """So rates are rates per hour, and no hour is without any."""
    assert sum(PROFILE) / len(PROFILE) == pytest.approx(1)
    assert 0 < min(PROFILE) < 1 < max(PROFILE) == PEAK


def test_arrivals_keep_to_the_local_hour_when_clocks_change() -> None:
    """The hours of the day have the same shares before and after; by UTC they would have moved."""
    # Given moments for weeks on both sides of a change of the clocks
    zone, change = ZoneInfo("Europe/Berlin"), datetime(2026, 3, 29, 1, tzinfo=UTC)
    # When they are counted by the hour of the local day
    before, after = (_hours(start, zone) for start in (change - timedelta(weeks=WEEKS), change))
    # Then every hour has the share that the profile gives it, on both sides
    for hour in range(24):
        share = sum(PROFILE[hour::24]) / len(PROFILE)
        assert before[hour] / before.total() == pytest.approx(share, abs=0.004)
        assert after[hour] / after.total() == pytest.approx(share, abs=0.004)
    # And as many come as should
    assert before.total() == pytest.approx(20 * 24 * 7 * WEEKS, rel=0.03)


def _hours(start: datetime, zone: ZoneInfo) -> Counter[int]:
    begin = milliseconds(start)
    chance = Chance("hours", begin)
    moments = arrivals(chance, begin, 20, lambda at: demand(zone.key, at), PEAK)
    within = takewhile(lambda at: at < begin + WEEKS * 7 * DAY, moments)
    return Counter(datetime.fromtimestamp(at / 1000, zone).hour for at in within)
