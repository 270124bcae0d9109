"""CSV of sessions and spots becomes usage records and registrations, odd values and clock changes included."""

from pathlib import Path
from typing import Any

import pytest

from domain.errors import SetupError
from ingest import tables
from ingest.items import Item, Refused, Translated

DUNDEE = "source,spot_id,connector,session_id,start,end,kwh,site,zone,model,tz,flags"


def dundee(**cells: str) -> str:
    """One row in the form of the Dundee data, whole unless told otherwise."""
    whole = {
        "source": "dundee",
        "spot_id": "50913",
        "connector": "2",
        "session_id": "731",
        "start": "2018-06-06T03:01:00",
        "end": "2018-06-06T07:59:00",
        "kwh": "17.483",
        "site": "Lochee",
        "zone": "Dundee",
        "model": "APT 22kW",
        "tz": "Europe/London",
        "flags": "",
    }
    return ",".join((whole | cells).values()) + "\n"


def sessions(*rows: str) -> list[Item]:
    return list(tables.read_sessions([DUNDEE + "\n", *rows]))


def usage(item: Item) -> dict[str, Any]:
    """The usage record of a translated row: its last event."""
    assert isinstance(item, Translated)
    data: dict[str, Any] = item.events[-1]["data"]
    return data


def refusal(item: Item) -> tuple[str, str]:
    assert isinstance(item, Refused)
    return item.reason.code, item.reason.sentence


@pytest.fixture
def mapped(tmp_path: Path) -> Any:
    """Reads one session row by a mapping given as YAML lines."""
    columns = "columns: {spot: spot_id, session: session_id, start: started_at, kwh: energy_kwh}"

    def read(header: str, row: str, *more: str) -> Item:
        file = tmp_path / "own.yaml"
        own = [] if any(line.startswith("columns:") for line in more) else [columns]
        file.write_text("\n".join(["name: own", "record: sessions", *own, *more]))
        [item] = tables.read_sessions([f"{header}\n", f"{row}\n"], str(file))
        return item

    return read


class TestSessions:
    def test_a_row_gives_a_usage_record_and_registers_its_spot(self) -> None:
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

    def test_a_spot_is_registered_once_for_each_description(self) -> None:
        """The same spot again says nothing new; a site renamed does."""
        items = sessions(dundee(), dundee(session_id="732"), dundee(session_id="733", site="Lochee Hub"))
        assert [len(item.events) for item in items if isinstance(item, Translated)] == [2, 1, 2]

    def test_wrong_values_are_kept(self) -> None:
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
        ("cells", "code", "sentence"),
        [
            ({"spot_id": ""}, "MISSING_FIELD", "Column spot_id (spot_id) is empty."),
            ({"session_id": " "}, "MISSING_FIELD", "Column session_id (session_id) is empty."),
            ({"kwh": "lots"}, "INVALID_FIELD", "Column kwh (energy_kwh): 'lots' is no number"),
            ({"kwh": "nan"}, "INVALID_FIELD", "Column kwh (energy_kwh): 'nan' is no number"),
            ({"connector": "1.5"}, "INVALID_FIELD", "Column connector (connector_id): 1.5 is no whole number."),
            ({"end": "06/06/2018"}, "INVALID_FIELD", "Column end (ended_at): '06/06/2018' is no time"),
            ({"tz": "Dundee"}, "INVALID_FIELD", "Column tz (time_zone): 'Dundee' is no IANA time zone."),
            ({"flags": "a,b"}, "WRONG_COLUMNS", "The row has 13 cells where the header has 12."),
            ({"site": "\0"}, "NUL_CHARACTER", "The row contains U+0000"),
            ({"site": "Caf\udce9"}, "NOT_UTF8", "The row is not UTF-8."),
        ],
    )
    def test_what_cannot_be_read_is_refused_and_the_rest_goes_on(
        self, cells: dict[str, str], code: str, sentence: str
    ) -> None:
        """The refusal names the column and keeps the row as it was."""
        # Given a bad row before a good one
        bad = dundee(**cells)
        refused, good = sessions(bad, dundee())
        # Then the bad one says why
        found, words = refusal(refused)
        assert (found, words.startswith(sentence)) == (code, True), words
        assert isinstance(refused, Refused)
        assert refused.raw == bad.encode("utf-8", "surrogateescape")
        assert isinstance(good, Translated)

    def test_a_cell_may_hold_lines(self) -> None:
        """A quoted line end is part of the cell, and of the refused row."""
        site, bad = '"Lochee\nHub"', dundee(site='"a\nb"', kwh="x")
        good, refused = sessions(dundee(site=site), bad)
        assert isinstance(good, Translated)
        assert good.events[0]["data"]["site"] == "Lochee\nHub"
        assert isinstance(refused, Refused)
        assert refused.raw == bad.encode()

    def test_connectors_written_with_a_fraction_are_whole(self) -> None:
        """Spreadsheets write 2.0 for 2."""
        assert usage(sessions(dundee(connector="2.0"))[0])["connector_id"] == 2

    def test_reading_twice_gives_the_same_events(self) -> None:
        """Nothing in an event depends on when it was imported."""
        assert sessions(dundee(), dundee(end="")) == sessions(dundee(), dundee(end=""))


class TestTimes:
    """Wall-clock times of the row's zone; `test_wall_clock` has every day that the clocks change."""

    def test_an_end_before_its_start_in_the_repeated_hour_is_in_its_second_pass(self) -> None:
        """Three Dundee sessions look as if they ended before they began; they lasted 22 to 25 minutes."""
        record = usage(sessions(dundee(start="2017-10-29T01:55:00", end="2017-10-29T01:20:00"))[0])
        assert (record["started_at"], record["ended_at"]) == (
            "2017-10-29T01:55:00+01:00",
            "2017-10-29T01:20:00+00:00",
        )

    def test_a_stated_offset_is_kept(self) -> None:
        """A time with an offset is no wall-clock time."""
        record = usage(sessions(dundee(start="2018-06-06T03:01:00Z", end="2018-06-06T09:00:00+02"))[0])
        assert (record["started_at"], record["ended_at"]) == (
            "2018-06-06T03:01:00+00:00",
            "2018-06-06T09:00:00+02:00",
        )

    def test_a_row_without_a_zone_takes_the_mapping_s(self) -> None:
        """The Dundee mapping falls back to London."""
        assert usage(sessions(dundee(tz=""))[0])["started_at"] == "2018-06-06T03:01:00+01:00"

    def test_the_first_year_there_is_does_not_stop_the_import(self) -> None:
        """Controllers without a clock write year 1."""
        record = usage(sessions(dundee(start="0001-01-01T00:00:00", end="0001-01-01T00:00:00"))[0])
        assert record["started_at"].startswith("0001-01-01T00:00:00")


class TestOwnMappings:
    def test_decimal_comma_watt_hours_and_dates(self, mapped: Any) -> None:
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
    def test_thousands_separators_are_refused(self, mapped: Any, decimal: str, cell: str) -> None:
        """Guessing would be wrong by a factor of a thousand."""
        item = mapped("spot;session;start;kwh", f"S1;9;;{cell}", f'decimal: "{decimal}"', 'delimiter: ";"')
        assert refusal(item)[0] == "INVALID_FIELD"

    def test_an_unread_register_in_watt_hours_stays_minus_one(self, mapped: Any) -> None:
        """−1 is a mark and no measurement, so no unit applies."""
        lines = "columns: {spot: spot_id, session: session_id, first: meter_start_kwh, kwh: energy_kwh}"
        item = mapped("spot,session,first,kwh", "S1,9,-1,-1", lines, "energy_unit: Wh")
        assert (usage(item)["meter_start_kwh"], usage(item)["energy_kwh"]) == (-1, -0.001)

    def test_columns_the_mapping_does_not_need_may_be_missing(self, mapped: Any) -> None:
        """Only what is listed as required has to be there."""
        item = mapped("session,spot", "9,S1", "required: [spot, session]")
        assert usage(item) == {"spot_id": "S1", "session_id": "9"}

    def test_a_header_that_lacks_columns_of_the_named_mapping(self) -> None:
        """The error names them."""
        with pytest.raises(SetupError, match=r"lacks the columns source, session_id, .* of mapping dundee"):
            tables.read_sessions(["spot_id,connector\n"], "dundee")

    def test_a_header_no_mapping_fits(self) -> None:
        """Without --mapping, the error says what the closest one misses."""
        with pytest.raises(SetupError, match="closest, dundee, misses the columns tz"):
            tables.read_sessions([DUNDEE.replace("tz", "timezone") + "\n"])

    def test_a_mapped_column_that_comes_twice(self) -> None:
        """Nobody can tell which one is meant."""
        with pytest.raises(SetupError, match="more than one column kwh"):
            tables.read_sessions([DUNDEE + ",kwh\n"])

    def test_a_mapping_of_sessions_does_not_read_spots(self) -> None:
        """The command and the mapping must agree."""
        with pytest.raises(SetupError, match="reads sessions, not spots"):
            tables.read_spots([DUNDEE + "\n"], "dundee")

    def test_an_empty_file(self) -> None:
        """There is no header to go by."""
        with pytest.raises(SetupError, match="empty"):
            tables.read_spots(["\n"])


class TestSpots:
    def test_columns_by_our_own_names(self) -> None:
        """Any of the fields, in any order; only spot_id has to be there."""
        # Given a spot with its warranty and place
        lines = [
            "warranty_until,spot_id,latitude,longitude,max_power_kw,notes\n",
            "2027-03-31,S1,56.46,-2.97,22,new\n",
        ]
        # When it is read
        [item] = tables.read_spots(lines)
        # Then it is registered without a time: the moment of import counts
        assert item == Translated(
            [
                {
                    "specversion": "1.0",
                    "source": "table:spots",
                    "id": "S1",
                    "type": "spotclaim.spot.registered.v1",
                    "data": {
                        "spot_id": "S1",
                        "warranty_until": "2027-03-31",
                        "max_power_kw": 22.0,
                        "location": {"latitude": 56.46, "longitude": -2.97},
                    },
                }
            ]
        )

    def test_a_row_without_its_spot(self) -> None:
        """There is nothing to register."""
        [item] = tables.read_spots(["spot_id,site\n", ",Lochee\n"])
        assert refusal(item)[0] == "MISSING_FIELD"

    def test_blank_lines_are_no_rows(self) -> None:
        """Files end with them."""
        assert len(list(tables.read_spots(["spot_id,site\n", "\n", "S1,\n", "\n"]))) == 1
