"""Excel workbooks and Parquet read like text, with their numbers and dates as such."""

import io
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars
import pytest
import xlsxwriter

from domain.errors import SetupError
from ingest.files.items import Item, RefusedItem, Translated
from ingest.tables.reader import Table

COLUMNS = ["spot_id", "session_id", "started_at", "ended_at", "energy_kwh", "time_zone"]
START, END = datetime(2025, 7, 6, 14, 30), datetime(2025, 7, 6, 15, 45)


def workbook(*rows: list[Any], sheet: str = "Sessions", first_row: int = 0) -> bytes:
    """An Excel workbook with an empty first sheet only where `sheet` is not the first."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        if sheet != "Sessions":
            book.add_worksheet("Cover").write(0, 0, "Our sessions")
        page = book.add_worksheet(sheet)
        for number, row in enumerate(rows, first_row):
            page.write_row(number, 0, row)
    return content.getvalue()


def parquet(**columns: list[Any]) -> bytes:
    content = io.BytesIO()
    polars.DataFrame(columns).write_parquet(content)
    return content.getvalue()


def read(content: bytes, mapping: str | None = None) -> list[Item]:
    return list(Table(io.BufferedReader(io.BytesIO(content)), "sessions", mapping).items())


def usage(item: Item) -> dict[str, Any]:
    assert isinstance(item, Translated)
    data: dict[str, Any] = item.events[-1]["data"]
    return data


def test_an_excel_workbook() -> None:
    """Ids that became numbers are ids again; dates are the wall clock's in the row's zone."""
    [item] = read(workbook(COLUMNS, ["S1", 731, START, END, 17.483, "Europe/Berlin"]))
    assert usage(item) == {
        "spot_id": "S1",
        "session_id": "731",
        "started_at": "2025-07-06T14:30:00+02:00",
        "ended_at": "2025-07-06T15:45:00+02:00",
        "energy_kwh": 17.483,
    }


def test_rows_of_a_sheet_are_numbered_as_it_numbers_them() -> None:
    """Blank rows are none, before the header too, and a refused row is kept cell by cell."""
    content = workbook(COLUMNS, ["S1", 1, START], [None], [None, 2, START, None, 1.5], first_row=2)
    good, refused = read(content)
    assert isinstance(good, Translated)
    assert good.number == 4
    assert isinstance(refused, RefusedItem)
    assert (refused.number, refused.reason.code) == (6, "MISSING_FIELD")
    assert b'["energy_kwh", 1.5]' in refused.raw


def test_a_number_among_words_stays_a_number(tmp_path: Path) -> None:
    """A cell knows what it is; the mapping's signs are for cells that are text."""
    # Given a mapping with a decimal comma and points between thousands
    mapping = tmp_path / "own.yaml"
    columns = "{spot_id: spot_id, session_id: session_id, energy_kwh: energy_kwh}"
    mapping.write_text(f"name: own\nrecord: sessions\ncolumns: {columns}\ndecimal: ','\nthousands: '.'\n")
    # When a column holds numbers, text of that form, and words
    names = ["spot_id", "session_id", "energy_kwh"]
    rows = (["S1", "1", 17.483], ["S1", "2", "1.500,5"], ["S1", "3", "n/a"])
    number, words, unread = (usage(item) for item in read(workbook(names, *rows), str(mapping)))
    # Then each is what it is
    assert (number["energy_kwh"], words["energy_kwh"]) == (17.483, 1500.5)
    assert unread["samples"] == [{"unreadable": "energy_kwh", "text": "n/a"}]


def test_a_sheet_by_its_name(tmp_path: Path) -> None:
    """The mapping names it; an unknown name is answered with those there are."""
    content = workbook(COLUMNS, ["S1", 1, START], sheet="Data")
    mapping = tmp_path / "own.yaml"
    lines = "name: own\nrecord: sessions\ncolumns: {spot_id: spot_id, session_id: session_id}\nsheet: "
    mapping.write_text(lines + "Data\n")
    assert len(read(content, str(mapping))) == 1
    mapping.write_text(lines + "Dada\n")
    with pytest.raises(SetupError, match="no sheet 'Dada'; it has Cover, Data"):
        read(content, str(mapping))


def test_a_parquet_file() -> None:
    """Zoned times keep their offset, and a missing value is an empty cell."""
    content = parquet(
        spot_id=["S1", "S2"],
        session_id=[731, 732],
        started_at=[START.replace(tzinfo=UTC), END.replace(tzinfo=UTC)],
        energy_kwh=[17.483, None],
        commissioned_on=[date(2024, 1, 1), None],
    )
    first, second = (usage(item) for item in read(content))
    assert (first["session_id"], first["started_at"], first["energy_kwh"]) == (
        "731",
        "2025-07-06T14:30:00+00:00",
        17.483,
    )
    assert second == {"spot_id": "S2", "session_id": "732", "started_at": "2025-07-06T15:45:00+00:00"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 a zip of something else", "no Excel workbook that can be read"),
        (b"PAR1 cut short", "no Parquet that can be read"),
        (workbook(), "The sheet is empty"),
    ],
)
def test_a_file_that_its_reader_does_not_take(content: bytes, sentence: str) -> None:
    """The error is one line."""
    with pytest.raises(SetupError, match=sentence) as caught:
        read(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "package"), [(workbook(COLUMNS), "python_calamine"), (parquet(spot_id=["S1"]), "polars")]
)
def test_the_extra_is_named_where_it_is_not_installed(
    content: bytes, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, with what to do."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SetupError, match=rf"extra `tables`, for {package} .*: pip install 'spotclaim\[tables\]'"):
        read(content)


def test_text_that_no_database_can_hold() -> None:
    """Parquet can hold U+0000."""
    [refused] = read(parquet(spot_id=["S\0"], session_id=["1"], started_at=[START]))
    assert isinstance(refused, RefusedItem)
    assert refused.reason.code == "NUL_CHARACTER"


def test_dates_and_times_of_a_workbook_in_two_columns(tmp_path: Path) -> None:
    """As the sheet has them, or as text beside a date."""
    own = tmp_path / "own.yaml"
    columns = "columns: {spot_id: spot_id, session_id: session_id, Began: started_at, Over: ended_at}"
    own.write_text(f"name: own\nrecord: sessions\n{columns}\njoined: {{Began: [Day, From], Over: [Day, Until]}}")
    header, day = ["spot_id", "session_id", "Day", "From", "Until"], date(2025, 7, 6)
    [item] = read(workbook(header, ["S1", 9, day, time(14, 30), "15:45"]), str(own))
    assert (usage(item)["started_at"], usage(item)["ended_at"]) == (
        "2025-07-06T14:30:00+00:00",
        "2025-07-06T15:45:00+00:00",
    )
    [refused] = read(workbook(header, ["S1", 9, day, "soon", "15:45"]), str(own))
    assert isinstance(refused, RefusedItem)
    assert "'2025-07-06" in refused.reason.sentence
