"""Tables become usage records, registrations and faults, odd values and clock changes included."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import SetupError
from ingest.importer import Importer
from ingest.items import IGNORED, Item, Refused, Translated
from ingest.mapping import Record
from ingest.tables import Table
from tests.unit.ingest.fuzzing import fuzzed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
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


def table(record: Record, lines: list[str], mapping: str | None = None) -> Table:
    content = "".join(lines).encode("utf-8", "surrogateescape")
    return Table(io.BufferedReader(io.BytesIO(content)), record, mapping)


def sessions(*rows: str) -> list[Item]:
    return list(table("sessions", [DUNDEE + "\n", *rows]).items())


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
        [item] = table("sessions", [f"{header}\n", f"{row}\n"], str(file)).items()
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
        ("cells", "field"),
        [
            ({"kwh": "lots"}, "energy_kwh"),
            ({"kwh": "nan"}, "energy_kwh"),
            ({"kwh": "1.500,0"}, "energy_kwh"),
            ({"end": "06/06/2018"}, "ended_at"),
        ],
    )
    def test_what_a_session_can_do_without_is_kept_as_it_is(self, cells: dict[str, str], field: str) -> None:
        """A wrong value is evidence: the row stands, and beside it what could not be read."""
        # Given a session that is known by its spot, its name and its start
        given = table("sessions", [DUNDEE + "\n", dundee(**{name: f'"{cell}"' for name, cell in cells.items()})])
        # When another of its cells cannot be read
        [item] = given.items()
        # Then the record has the cell's own words, and the survey tells of them
        assert field not in usage(item)
        assert usage(item)["samples"] == [{"unreadable": field, "text": next(iter(cells.values()))}]
        [warning] = given.survey.warnings()
        assert "1 cells cannot be read" in warning
        assert "in row 2" in warning

    def test_a_detail_of_the_spot_that_cannot_be_read_is_kept_with_the_session(self, mapped: Any) -> None:
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
        assert refused.number == 2
        assert isinstance(good, Translated)

    def test_a_cell_may_hold_lines(self) -> None:
        """A quoted line end is part of the cell, and of the refused row."""
        site, bad = '"Lochee\nHub"', dundee(site='"a\nb"', start="x")
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
    def test_thousands_separators_that_nobody_told_of_are_not_read(
        self, mapped: Any, decimal: str, cell: str
    ) -> None:
        """Guessing would be wrong by a factor of a thousand."""
        item = mapped("spot;session;start;kwh", f"S1;9;;{cell}", f'decimal: "{decimal}"')
        assert usage(item)["samples"] == [{"unreadable": "energy_kwh", "text": cell}]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_the_delimiter_is_told_by_the_header(self, mapped: Any, delimiter: str) -> None:
        """It is the one between the columns of the mapping, whatever else the header holds."""
        header, row = ["spot", "session", "start", "kwh", "a; b | c"], ["S1", "9", "", "1.5", "x"]
        item = mapped(delimiter.join(f'"{name}"' for name in header), delimiter.join(row))
        assert usage(item) == {"spot_id": "S1", "session_id": "9", "energy_kwh": 1.5}

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
            table("sessions", ["spot_id,connector\n"], "dundee")

    def test_a_header_no_mapping_fits(self) -> None:
        """Without --mapping, the error says what the closest one misses, what is there, and what may be what."""
        with pytest.raises(SetupError, match="closest, dundee, misses the columns kwh, tz") as caught:
            table("sessions", [DUNDEE.replace("tz", "Timezone").replace("kwh", "Total kWh") + "\n"])
        assert "The header has source, spot_id, connector," in str(caught.value)
        assert "Timezone as time_zone" in str(caught.value)
        assert "Total kWh as energy_kwh" in str(caught.value)

    def test_of_two_mappings_that_fit_the_one_that_makes_more_of_the_header(self) -> None:
        """A table by our own names is none of Dundee's, and the reverse."""
        own = "spot_id,session_id,started_at,site,zone\n"
        assert table("sessions", [own]).layout.mapping.name == "sessions"
        assert table("sessions", [DUNDEE + "\n"]).layout.mapping.name == "dundee"
        between = DUNDEE.replace(",tz,", ",started_at,") + "\n"
        assert table("sessions", [between]).layout.mapping.name == "sessions"

    def test_a_mapped_column_that_comes_twice(self) -> None:
        """Nobody can tell which one is meant."""
        with pytest.raises(SetupError, match="more than one column kwh"):
            table("sessions", [DUNDEE + ",kwh\n"])

    def test_a_mapping_of_sessions_does_not_read_spots(self) -> None:
        """The command and the mapping must agree."""
        with pytest.raises(SetupError, match="reads sessions, not spots"):
            table("spots", [DUNDEE + "\n"], "dundee")

    def test_an_empty_file(self) -> None:
        """There is no header to go by."""
        with pytest.raises(SetupError, match="empty"):
            table("spots", ["\n"])


class TestSpots:
    def test_columns_by_our_own_names(self) -> None:
        """Any of the fields, in any order; only spot_id has to be there."""
        # Given a spot with its warranty and place
        lines = [
            "warranty_until,spot_id,latitude,longitude,max_power_kw,notes\n",
            "2027-03-31,S1,56.46,-2.97,22,new\n",
        ]
        # When it is read
        [item] = table("spots", lines).items()
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
        [item] = table("spots", ["spot_id,site\n", ",Lochee\n"]).items()
        assert refusal(item)[0] == "MISSING_FIELD"

    def test_a_detail_that_cannot_be_read(self) -> None:
        """A registration has no place to keep it, so the row waits in quarantine."""
        [item] = table("spots", ["spot_id,max_power_kw\n", "S1,strong\n"]).items()
        assert refusal(item) == (
            "INVALID_FIELD",
            "Column max_power_kw (max_power_kw): 'strong' is no number with the decimal sign '.'.",
        )

    def test_blank_lines_are_no_rows(self) -> None:
        """Files end with them."""
        assert len(list(table("spots", ["spot_id,site\n", "\n", "S1,\n", "\n"]).items())) == 1


FAULTS = "fault_id,spot_id,connector_id,taxonomy,code,info,occurred_at,cleared,time_zone,description\n"


class TestFaults:
    def test_a_row_gives_a_fault(self) -> None:
        """The code goes with its taxonomy, the time with the row's zone."""
        # Given a fault as a partner's desk writes it down
        row = "T-1,S1,2,ocpp1.6,GroundFailure,leak,2026-07-01T10:00:00,,Europe/Berlin,Fence hums\n"
        # When the table is read
        [item] = table("faults", [FAULTS, row]).items()
        # Then the event is as the wire wants it
        assert item == Translated(
            [
                {
                    "specversion": "1.0",
                    "source": "table:faults",
                    "id": "T-1",
                    "type": "spotclaim.fault.raised.v1",
                    "time": "2026-07-01T10:00:00+02:00",
                    "data": {
                        "spot_id": "S1",
                        "connector_id": 2,
                        "error": {"taxonomy": "ocpp1.6", "code": "GroundFailure", "info": "leak"},
                        "occurred_at": "2026-07-01T10:00:00+02:00",
                        "description": "Fence hums",
                    },
                }
            ]
        )

    @pytest.mark.parametrize(
        ("word", "kind"), [("yes", "cleared"), ("Cleared", "cleared"), ("no", "raised"), ("", "raised")]
    )
    def test_a_fault_may_be_over(self, word: str, kind: str) -> None:
        """The column `cleared` says so; empty says no."""
        [item] = table("faults", [FAULTS, f",S1,,,METER_MISREAD,,,{word},,\n"]).items()
        assert isinstance(item, Translated)
        assert item.events[0]["type"] == f"spotclaim.fault.{kind}.v1"
        assert item.events[0]["data"]["error"] == {"taxonomy": "spotclaim", "code": "METER_MISREAD"}

    def test_a_row_that_reports_no_fault_is_ignored(self) -> None:
        """Exports of statuses are full of them."""
        assert list(table("faults", [FAULTS, ",S1,1,ocpp1.6,NoError,,,,,\n"]).items()) == [IGNORED]

    def test_no_error_may_say_that_one_is_over(self) -> None:
        """Where the column `cleared` says so."""
        [item] = table("faults", [FAULTS, ",S1,1,ocpp1.6,NoError,,,yes,,\n"]).items()
        assert isinstance(item, Translated)

    @pytest.mark.parametrize(
        ("row", "code"),
        [
            (",,1,,METER_MISREAD,,,,,", "MISSING_FIELD"),
            (",S1,1,,,,,,,", "MISSING_FIELD"),
            (",S1,1,,METER_MISREAD,,yesterday,,,", "INVALID_FIELD"),
            (",S1,1,,METER_MISREAD,,,perhaps,,", "INVALID_FIELD"),
        ],
    )
    def test_what_where_and_when_must_be_readable(self, row: str, code: str) -> None:
        """A fault with the wrong time would be held against the wrong sessions."""
        [item] = table("faults", [FAULTS, row + "\n"]).items()
        assert refusal(item)[0] == code

    def test_codes_that_mean_nothing_are_told(self) -> None:
        """They become OTHER, which the person may not have meant."""
        given = table("faults", [FAULTS, ",S1,,,E-42,,,,,\n", ",S2,,,E-42,,,,,\n", ",S2,,,OTHER,,,,,\n"])
        assert len(list(given.items())) == 3
        [warning] = given.survey.warnings()
        assert warning == "2 faults have a code of no known meaning, taken as OTHER: E-42 of spotclaim (2)."


@given(st.binary(max_size=400), st.sampled_from([DUNDEE, FAULTS.strip(), "spot_id,max_power_kw,warranty_until"]))
@fuzzed
def test_no_bytes_stop_an_import(content: bytes, header: str) -> None:
    """Below a sound header anything may stand: it is translated or refused, and the wire has the last word."""
    record: Record = "faults" if header.startswith("fault") else "sessions" if header == DUNDEE else "spots"
    stream = io.BufferedReader(io.BytesIO(header.encode() + b"\n" + content))
    taken = Importer(lambda _: None, lambda _: set(), lambda: NOW, lambda _: None).run(
        Table(stream, record).items()
    )
    assert taken.read == taken.accepted + taken.known + taken.refused + taken.ignored
    assert taken.read >= bool(content.strip(b"\r\n"))
