"""A custom mapping says how a table is written, and one that does not fit is refused."""

from typing import Any

import pytest

from domain.errors import SetupError
from ingest.files.items import Translated
from tests.unit.ingest.tables.reader.reading import DUNDEE, table, usage


def test_decimal_comma_watt_hours_and_dates(mapped: Any) -> None:
    """A German export: semicolons, decimal comma, day first, Wh."""
    # Given such a row and a mapping that says so
    item = mapped(
        "spot;session;start;kwh",
        "S1;9;06.07.2024 14:30;1500,5",
        'decimal: ","',
        'delimiter: ";"',
        'date_format: "%d.%m.%Y %H:%M"',
        "energy_unit: Wh",
        "time_zone: Europe/Berlin",
    )
    # Then it reads as meant, sourced by the mapping's name
    assert usage(item) == {
        "spot_id": "S1",
        "session_id": "9",
        "started_at": "2024-07-06T14:30:00+02:00",
        "energy_kwh": 1.5005,
    }
    assert isinstance(item, Translated)
    assert [event["source"] for event in item.events] == ["table:own"]


@pytest.mark.parametrize(("decimal", "cell"), [(",", "1.500"), (".", "1,500"), (",", "1.500,0")])
def test_undeclared_thousands_separators_are_not_read(mapped: Any, decimal: str, cell: str) -> None:
    """Guessing would be wrong by a factor of a thousand."""
    item = mapped("spot;session;start;kwh", f"S1;9;;{cell}", f'decimal: "{decimal}"')
    assert usage(item)["samples"] == [{"unreadable": "energy_kwh", "text": cell}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_detected_by_the_header(mapped: Any, delimiter: str) -> None:
    """It is the one between the columns of the mapping, whatever else the header holds."""
    header, row = ["spot", "session", "start", "kwh", "a; b | c"], ["S1", "9", "", "1.5", "x"]
    item = mapped(delimiter.join(f'"{name}"' for name in header), delimiter.join(row))
    assert usage(item) == {"spot_id": "S1", "session_id": "9", "energy_kwh": 1.5}


def test_an_unread_register_in_watt_hours_stays_minus_one(mapped: Any) -> None:
    """−1 is a mark and no measurement, so no unit applies."""
    lines = "columns: {spot: spot_id, session: session_id, first: meter_start_kwh, kwh: energy_kwh}"
    item = mapped("spot,session,first,kwh", "S1,9,-1,-1", lines, "energy_unit: Wh")
    assert (usage(item)["meter_start_kwh"], usage(item)["energy_kwh"]) == (-1, -0.001)


def test_columns_the_mapping_does_not_need_may_be_missing(mapped: Any) -> None:
    """Only what is listed as required has to be there."""
    item = mapped("session,spot", "9,S1", "required: [spot, session]")
    assert usage(item) == {"spot_id": "S1", "session_id": "9"}


def test_a_header_that_lacks_columns_of_the_named_mapping() -> None:
    """The error names them."""
    with pytest.raises(SetupError, match=r"lacks the columns source, session_id, .* of mapping dundee"):
        table("sessions", ["spot_id,connector\n"], "dundee")


def test_a_header_no_mapping_fits() -> None:
    """Without --mapping, the error says what the closest one misses, what is there, and what may be what."""
    with pytest.raises(SetupError, match="closest, dundee, misses the columns kwh, tz") as caught:
        table("sessions", [DUNDEE.replace("tz", "Timezone").replace("kwh", "Total kWh") + "\n"])
    assert "The header has source, spot_id, connector," in str(caught.value)
    assert "Timezone as time_zone" in str(caught.value)
    assert "Total kWh as energy_kwh" in str(caught.value)


def test_of_two_mappings_that_fit_the_one_that_makes_more_of_the_header() -> None:
    """A table by our own names is none of Dundee's, and the reverse."""
    own = "spot_id,session_id,started_at,site,zone\n"
    assert table("sessions", [own]).layout.mapping.name == "sessions"
    assert table("sessions", [DUNDEE + "\n"]).layout.mapping.name == "dundee"
    between = DUNDEE.replace(",tz,", ",started_at,") + "\n"
    assert table("sessions", [between]).layout.mapping.name == "sessions"


def test_a_mapped_column_that_comes_twice() -> None:
    """Nobody can tell which one is meant."""
    with pytest.raises(SetupError, match="more than one column kwh"):
        table("sessions", [DUNDEE + ",kwh\n"])


def test_a_mapping_of_sessions_does_not_read_spots() -> None:
    """The command and the mapping must agree."""
    with pytest.raises(SetupError, match="reads sessions, not spots"):
        table("spots", [DUNDEE + "\n"], "dundee")


def test_an_empty_file() -> None:
    """There is no header to go by."""
    with pytest.raises(SetupError, match="empty"):
        table("spots", ["\n"])
