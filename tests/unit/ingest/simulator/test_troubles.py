"""Everyday errors come as often as the zone has them, and in the ways of the field."""

from collections import Counter
from itertools import pairwise, takewhile

import pytest

from domain.policy.error_codes import classify
from ingest.simulator.chance import Chance
from ingest.simulator.errors import COMPLAINTS, TROUBLES, rates
from ingest.simulator.fleet import SimulatedSpot, Zone, build_fleet, by_zone
from ingest.simulator.moments import DAY
from ingest.simulator.reports import Activity, Cleared, ErrorKind, Raised
from ingest.simulator.troubles import episode, troubles
from tests.unit.ingest.simulator.plans import START

DAYS = 90
ZONES = by_zone(build_fleet(7, 500, 2026))


def of_zone(zone: Zone, times: float = 1.0) -> list[Activity]:
    activities = troubles(7, zone, ZONES[zone], START, times)
    return list(takewhile(lambda activity: activity[0] < START + DAYS * DAY, activities))


@pytest.mark.parametrize("kind", [*TROUBLES, *COMPLAINTS.values()], ids=lambda kind: kind.code)
def test_every_error_is_what_spotclaim_takes_it_for(kind: ErrorKind) -> None:
    """The code beside the word of the field is the one that the catalogue gives it."""
    assert classify(kind.taxonomy, kind.raw) == kind.code


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.name)
def test_a_zone_has_each_error_at_its_rate(zone: Zone) -> None:
    """Days make errors come in heaps, so the bounds are wider than chance alone would need."""
    # Given the errors of a zone over three months
    counted = Counter(reports[0].kind.code for _, reports in of_zone(zone))  # type: ignore[union-attr]
    spot_hours = len(ZONES[zone]) * DAYS * 24
    # Then each comes as often as the table and the zone's factor say
    for kind, rate in zip(TROUBLES, rates(7, zone.name), strict=True):
        expected = rate * spot_hours
        bound = 4 * (expected + (0.06 * expected) ** 2) ** 0.5
        assert abs(counted[kind.code] - expected) < bound, kind.code
        assert 0.5 <= rate / kind.an_hour <= 1.5
    assert counted.total() == pytest.approx(sum(rates(7, zone.name)) * spot_hours, rel=0.12)


def test_zones_differ() -> None:
    """No two have an error at the same rate."""
    assert all(here != there for here, there in zip(*(rates(7, zone.name) for zone in ZONES), strict=True))


def test_errors_come_in_heaps() -> None:
    """Their daily number varies more than independent chance would have it."""
    daily = Counter(int(at // DAY) for at, _ in of_zone(next(iter(ZONES))))
    mean = daily.total() / DAYS
    variance = sum((daily[START // DAY + day] - mean) ** 2 for day in range(DAYS)) / DAYS
    assert variance > 3 * mean


def test_there_can_be_more_of_them_or_none() -> None:
    """For demonstrations and for quiet."""
    zone = next(iter(ZONES))
    assert len(of_zone(zone, 3)) == pytest.approx(3 * len(of_zone(zone)), rel=0.15)
    assert of_zone(zone, 0) == []


def test_drivers_report_again_before_it_is_over() -> None:
    """The same error of the same spot, in a message of its own; then one clear."""
    again = 0
    for _, reports in of_zone(next(iter(ZONES))):
        *raised, last = reports
        spot: SimulatedSpot = last.spot
        if spot.is_flapping or last.kind.of_reservation:  # type: ignore[union-attr]
            continue
        assert isinstance(last, Cleared)
        assert all(isinstance(report, Raised) and report.at < last.at for report in raised)
        assert {(report.spot, report.kind) for report in reports} == {(spot, last.kind)}  # type: ignore[union-attr]
        again += len(raised) > 1
    assert again > 100


def test_a_flapping_spot_raises_and_clears_by_turns() -> None:
    """Each within minutes of the last."""
    spot = next(spot for spots in ZONES.values() for spot in spots if spot.is_flapping)
    reports = episode(spot, TROUBLES[0], START, "flaps", Chance("flaps"))
    assert len(reports) >= 6
    assert [type(report) for report in reports] == [Raised, Cleared] * (len(reports) // 2)
    assert all(0 < after.at - before.at <= 120_000 for before, after in pairwise(reports))


def test_every_report_has_a_name_of_its_own() -> None:
    """The name is the message's identity; two of one name would be taken for one."""
    names = [(report.spot.number, report.name) for _, reports in of_zone(next(iter(ZONES))) for report in reports]  # type: ignore[union-attr]
    assert len(names) == len(set(names))
