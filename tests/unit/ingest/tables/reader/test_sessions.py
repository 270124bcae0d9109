"""Rows of sessions become usage records and registrations, odd values included."""

from typing import Any

import pytest

from ingest.files.items import RefusedItem, Translated
from tests.unit.ingest.tables.reader.reading import DUNDEE, dundee, refusal, sessions, table, usage


def test_a_row_gives_a_usage_record_and_registers_its_spot() -> None:
    """The Dundee header is recognised; local times come with their offset."""
    # Given one session in summer time
    [item] = sessions(dundee())
    # Then both events are as the wire wants them
    assert isinstance(item, Translated)
    registered, recorded = item.events
    assert registered == {
        "specversion": "1.0",
        "source": "table:dundee",
        "id": "50913",
        "type": "spotclaim.spot.registered.v1",
        "time": "2018-06-06T03:01:00+01:00",
        "data": {
            "spot_id": "50913",
            "site": "Lochee",
            "zone": "Dundee",
            "model": "APT 22kW",
            "time_zone": "Europe/London",
        },
    }
    assert recorded == {
        "specversion": "1.0",
        "source": "table:dundee",
        "id": "731",
        "type": "spotclaim.usage.recorded.v1",
        "time": "2018-06-06T07:59:00+01:00",
        "data": {
            "spot_id": "50913",
            "session_id": "731",
            "connector_id": 2,
            "started_at": "2018-06-06T03:01:00+01:00",
            "ended_at": "2018-06-06T07:59:00+01:00",
            "energy_kwh": 17.483,
        },
    }


def test_a_spot_is_registered_once_for_each_description() -> None:
    """The same spot again says nothing new; a site renamed does."""
    items = sessions(dundee(), dundee(session_id="732"), dundee(session_id="733", site="Lochee Hub"))
    assert [len(item.events) for item in items if isinstance(item, Translated)] == [2, 1, 2]


def test_wrong_values_are_kept() -> None:
    """Negative energy, no end, and an end before the start are evidence, not garbage."""
    # Given three sessions that cannot have been so
    negative, endless, backwards = sessions(
        dundee(kwh="-12.5"), dundee(end="", kwh=""), dundee(end="1970-01-01T01:00:00")
    )
    # Then each is translated as it is
    assert usage(negative)["energy_kwh"] == -12.5
    assert not {"ended_at", "energy_kwh"} & usage(endless).keys()
    assert usage(backwards)["ended_at"] == "1970-01-01T01:00:00+01:00"  # London kept summer time all year


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"kwh": "lots"}, "energy_kwh"),
        ({"kwh": "nan"}, "energy_kwh"),
        ({"kwh": "1.500,0"}, "energy_kwh"),
        ({"end": "06/06/2018"}, "ended_at"),
    ],
)
def test_what_a_session_can_do_without_is_kept_as_it_is(cells: dict[str, str], field: str) -> None:
    """A wrong value is evidence: the row stands, and beside it what could not be read."""
    # Given a session that is known by its spot, its name and its start
    given = table("sessions", [DUNDEE + "\n", dundee(**{name: f'"{cell}"' for name, cell in cells.items()})])
    # When another of its cells cannot be read
    [item] = given.items()
    # Then the record has the cell's own words, and the survey tells of them
    assert field not in usage(item)
    assert usage(item)["samples"] == [{"unreadable": field, "text": next(iter(cells.values()))}]
    [warning] = given.survey.warnings()
    assert "1 cell cannot be read" in warning
    assert "in row 2" in warning


def test_a_detail_of_the_spot_that_cannot_be_read_is_kept_with_the_session(mapped: Any) -> None:
    """The spot is registered without it."""
    lines = "columns: {spot: spot_id, session: session_id, power: max_power_kw, site: site, lat: latitude}"
    item = mapped("spot,session,power,site,lat", "S1,9,strong,Lochee,56.4", lines)
    assert usage(item)["samples"] == [{"unreadable": "max_power_kw", "text": "strong"}]
    assert isinstance(item, Translated)
    assert item.events[0]["data"] == {"spot_id": "S1", "site": "Lochee"}


@pytest.mark.parametrize(
    ("cells", "code", "sentence"),
    [
        ({"spot_id": ""}, "MISSING_FIELD", "Column spot_id (spot_id) is empty."),
        ({"session_id": " "}, "MISSING_FIELD", "Column session_id (session_id) is empty."),
        ({"start": "lately"}, "INVALID_FIELD", "Column start (started_at): 'lately' is no time"),
        ({"connector": "1.5"}, "INVALID_FIELD", "Column connector (connector_id): 1.5 is no whole number."),
        ({"tz": "Dundee"}, "INVALID_FIELD", "Column tz (time_zone): 'Dundee' is no IANA time zone."),
        ({"flags": "a,b"}, "WRONG_COLUMNS", "The row has 13 cells where the header has 12."),
        ({"site": "\0"}, "NUL_CHARACTER", "The row contains U+0000"),
        ({"site": "Caf\udce9"}, "NOT_UTF8", "The row is not UTF-8."),
    ],
)
def test_what_cannot_be_read_is_refused_and_the_rest_goes_on(
    cells: dict[str, str], code: str, sentence: str
) -> None:
    """The refusal names the column and keeps the row as it was."""
    # Given a bad row before a good one
    bad = dundee(**cells)
    refused, good = sessions(bad, dundee())
    # Then the bad one says why
    found, words = refusal(refused)
    assert (found, words.startswith(sentence)) == (code, True), words
    assert isinstance(refused, RefusedItem)
    assert refused.raw == bad.encode("utf-8", "surrogateescape")
    assert refused.number == 2
    assert isinstance(good, Translated)


def test_a_cell_may_hold_lines() -> None:
    """A quoted line end is part of the cell, and of the refused row."""
    site, bad = '"Lochee\nHub"', dundee(site='"a\nb"', start="x")
    good, refused = sessions(dundee(site=site), bad)
    assert isinstance(good, Translated)
    assert good.events[0]["data"]["site"] == "Lochee\nHub"
    assert isinstance(refused, RefusedItem)
    assert refused.raw == bad.encode()


def test_connectors_written_with_a_fraction_are_whole() -> None:
    """Spreadsheets write 2.0 for 2."""
    assert usage(sessions(dundee(connector="2.0"))[0])["connector_id"] == 2


def test_reading_twice_gives_the_same_events() -> None:
    """Nothing in an event depends on when it was imported."""
    assert sessions(dundee(), dundee(end="")) == sessions(dundee(), dundee(end=""))
