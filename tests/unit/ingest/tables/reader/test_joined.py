"""A date in one column and its time in another are one time, where the mapping says so."""

from pathlib import Path
from typing import Any

import pytest

from domain.errors import SetupError
from tests.unit.ingest.tables.reader.reading import refusal, table, usage

COLUMNS = "columns: {spot: spot_id, session: session_id, Began: started_at, Over: ended_at}"
JOINED = "joined: {Began: [Date, Start time], Over: [Date, End time]}"
GERMAN = 'date_format: "%d.%m.%Y %H:%M"'
HEADER = "spot,session,Date,Start time,End time"
LONDON = "time_zone: Europe/London"


def test_a_date_and_its_time_are_one(mapped: Any) -> None:
    """Read by the mapping's form of both, in its zone."""
    record = usage(mapped(HEADER, "S1,9,06.07.2024, 14:30 ,15:45", COLUMNS, JOINED, GERMAN, LONDON))
    assert (record["started_at"], record["ended_at"]) == ("2024-07-06T14:30:00+01:00", "2024-07-06T15:45:00+01:00")


def test_iso_8601_in_two_columns(mapped: Any) -> None:
    """The form of dates and times when none is stated."""
    record = usage(mapped(HEADER, "S1,9,2024-07-06,14:30,15:45:10", COLUMNS, JOINED))
    assert (record["started_at"], record["ended_at"]) == ("2024-07-06T14:30:00+00:00", "2024-07-06T15:45:10+00:00")


@pytest.mark.parametrize(
    ("date", "start", "end", "ended_at"),
    [
        ("2024-07-06", "23:30", "00:45", "2024-07-07T00:45:00+01:00"),
        # The hour that comes twice explains an end before its start better than a whole day does.
        ("2017-10-29", "01:55", "01:20", "2017-10-29T01:20:00+00:00"),
        ("9999-12-31", "23:30", "00:45", "9999-12-31T00:45:00+00:00"),
    ],
)
def test_a_session_past_midnight_ends_on_the_day_after_its_only_date(
    mapped: Any, date: str, start: str, end: str, ended_at: str
) -> None:
    """The date of a row is its start's."""
    item = mapped(HEADER, f"S1,9,{date},{start},{end}", COLUMNS, JOINED, LONDON)
    assert usage(item)["ended_at"] == ended_at


def test_an_end_with_a_date_of_its_own_is_what_it_says(mapped: Any) -> None:
    """A wrong value is evidence."""
    joined = "joined: {Began: [Date, Start time], Over: [End date, End time]}"
    item = mapped(f"{HEADER},End date", "S1,9,2024-07-06,23:30,00:45,2024-07-06", COLUMNS, joined)
    assert usage(item)["ended_at"] == "2024-07-06T00:45:00+00:00"


def test_cells_that_are_empty_both_state_no_time(mapped: Any) -> None:
    """As an empty cell does."""
    item = mapped(HEADER, "S1,9,,,", COLUMNS, JOINED)
    assert usage(item) == {"spot_id": "S1", "session_id": "9"}


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ("2024-07-06,,", "Column Date + Start time (started_at): '2024-07-06' stands without its time."),
        (",14:30,", "Column Date + Start time (started_at): '14:30' stands without its date."),
        (
            "2024-07-06,soon,",
            "Column Date + Start time (started_at): '2024-07-06 soon' is no time in the form ISO",
        ),
    ],
)
def test_a_start_that_lacks_a_part_is_refused(mapped: Any, cells: str, sentence: str) -> None:
    """It says which part is there."""
    code, words = refusal(mapped(HEADER, f"S1,9,{cells}", COLUMNS, JOINED))
    assert (code, words.startswith(sentence)) == ("INVALID_FIELD", True), words


def test_an_end_that_lacks_a_part_is_kept_beside_the_session(mapped: Any) -> None:
    """As every value is that a session can do without; the date of the start alone says nothing of an end."""
    record = usage(mapped(HEADER, "S1,9,2024-07-06,14:30,", COLUMNS, JOINED))
    assert record["samples"] == [{"unreadable": "ended_at", "text": "2024-07-06"}]


def test_a_file_that_lacks_a_part_is_refused(mapped: Any) -> None:
    """Required or not: one without the other is no time."""
    with pytest.raises(SetupError, match=r"lacks the columns Start time, End time of mapping own"):
        mapped("spot,session,Date", "S1,9,2024-07-06", COLUMNS, JOINED)
    optional = "required: [spot, session]"
    with pytest.raises(SetupError, match=r"lacks the columns Date of mapping own"):
        mapped("spot,session,Start time", "S1,9,14:30", COLUMNS, JOINED, optional)
    assert "started_at" not in usage(mapped("spot,session", "S1,9", COLUMNS, JOINED, optional))


def test_a_file_may_have_no_ends(mapped: Any) -> None:
    """Their date is there for the starts."""
    record = usage(
        mapped("spot,session,Date,Start time", "S1,9,2024-07-06,14:30", COLUMNS, JOINED, "required: [Began]")
    )
    assert record["started_at"] == "2024-07-06T14:30:00+00:00"
    assert "ended_at" not in record


def test_what_is_read_is_named_as_in_the_file(tmp_path: Path) -> None:
    """`--dry-run` shows both columns for the field that they give."""
    own = tmp_path / "own.yaml"
    own.write_text("\n".join(["name: own", "record: sessions", COLUMNS, JOINED]))
    layout = table("sessions", [f"{HEADER},Ort\n"], str(own)).layout
    assert layout.fields["Date + Start time"] == "started_at"
    assert (layout.unused, layout.absent) == (["Ort"], [])
    with pytest.raises(SetupError, match="more than one column End time"):
        table("sessions", [f"{HEADER},End time\n"], str(own))
