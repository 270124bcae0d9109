"""Locations become registered spots."""

from typing import Any

import pytest

from ingest.ocpi.locations import max_power_kw
from tests.unit.ingest.ocpi.objects import a_location, an_evse, at, imported


def test_each_evse_is_a_spot() -> None:
    """With what its location says of all of them."""
    done = imported(a_location(an_evse("E1"), an_evse("E2", last_updated=at(9))))

    first, second = done.spots
    assert (first.spot_id, second.spot_id) == ("FR*ABC*E1", "FR*ABC*E2")
    assert (first.site, first.zone, first.time_zone) == ("Gare du Nord", "Paris", "Europe/Paris")
    assert (first.latitude, first.longitude, first.max_power_kw) == (48.8809, 2.3553, 22.08)
    assert (first.registered_at.minute, second.registered_at.minute) == (0, 9)
    assert (done.tally.read, done.tally.accepted) == (1, 1)


def test_what_a_location_leaves_out_is_left_out() -> None:
    """2.1.1 demands no time zone, homes have no name, and a place that is no number is no place."""
    bare = a_location(time_zone=None, name=None, coordinates={"latitude": "here", "longitude": "2"})
    [spot] = imported(bare).spots
    assert (spot.time_zone, spot.site, spot.latitude) == (None, "18 rue de Dunkerque", None)


def test_an_evse_that_was_removed_is_no_spot() -> None:
    done = imported(a_location(an_evse(status="REMOVED")), a_location(an_evse(status="REMOVED"), an_evse("E2")))
    assert [spot.spot_id for spot in done.spots] == ["FR*ABC*E2"]
    assert done.ignored == {"location without an EVSE": 1}


def test_an_evse_without_its_uid_is_refused_and_its_neighbour_is_not() -> None:
    """The location counts as refused, since not all of it was understood."""
    done = imported(a_location(an_evse(uid=""), an_evse("E2")))
    assert ([spot.spot_id for spot in done.spots], done.reasons) == (["FR*ABC*E2"], ["MISSING_FIELD"])
    assert done.tally.refused == 1


def test_an_evse_that_came_by_itself_is_a_spot() -> None:
    """Its URL tells whose it is; a bare change of status registers nothing."""
    url = "https://emsp.example/ocpi/2.2.1/locations/FR/ABC/L1/E7"
    evse = an_evse("E7")
    del evse["uid"]
    done = imported(
        {"method": "PUT", "url": url, "body": evse},
        {"method": "PATCH", "url": url, "body": {"status": "CHARGING", "last_updated": at(5)}},
    )
    assert ([spot.spot_id for spot in done.spots], done.tally.ignored) == (["FR*ABC*E7"], 1)


@pytest.mark.parametrize(
    ("connectors", "power"),
    [
        ([{"power_type": "AC_1_PHASE", "max_voltage": 230, "max_amperage": 16}], 3.68),
        ([{"power_type": "AC_2_PHASE", "max_voltage": 230, "max_amperage": 16}], 7.36),
        ([{"power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 16}], 11.04),
        ([{"power_type": "DC", "max_voltage": 920, "max_amperage": 400, "max_electric_power": 150_000}], 150.0),
        ([{"power_type": "DC", "max_voltage": "500", "max_amperage": "100"}], 50.0),
        # Kilowatts where watts belong: what voltage and amperage allow counts.
        ([{"power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 32, "max_electric_power": 22}], 22.08),
        ([{"power_type": "DC", "max_electric_power": 22}], None),
        # 2.1.1 says voltage and amperage.
        ([{"power_type": "AC_3_PHASE", "voltage": 230, "amperage": 16}], 11.04),
        (
            [{"power_type": "AC_1_PHASE", "max_voltage": 230, "max_amperage": 16}, {"max_electric_power": 7000}],
            7.0,
        ),
        ([{"power_type": "WIRELESS", "max_voltage": 230, "max_amperage": 16}], None),
        ([{"power_type": ["DC"], "max_voltage": True, "max_amperage": None}], None),
        ([{"power_type": "DC", "max_voltage": 0, "max_amperage": 0}], None),
        ([], None),
    ],
)
def test_power(connectors: list[dict[str, Any]], power: float | None) -> None:
    """Stated in watts, or voltage by amperage by phases; the strongest connector counts."""
    assert max_power_kw(connectors) == power
