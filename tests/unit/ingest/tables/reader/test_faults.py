"""Rows of faults become faults raised and cleared."""

import pytest

from ingest.files.items import IGNORED, Translated
from tests.unit.ingest.tables.reader.reading import FAULTS, refusal, table


def test_a_row_gives_a_fault() -> None:
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
def test_a_fault_may_be_over(word: str, kind: str) -> None:
    """The column `cleared` says so; empty says no."""
    [item] = table("faults", [FAULTS, f",S1,,,METER_MISREAD,,,{word},,\n"]).items()
    assert isinstance(item, Translated)
    assert item.events[0]["type"] == f"spotclaim.fault.{kind}.v1"
    assert item.events[0]["data"]["error"] == {"taxonomy": "spotclaim", "code": "METER_MISREAD"}


def test_a_row_that_reports_no_fault_is_ignored() -> None:
    """Exports of statuses are full of them."""
    assert list(table("faults", [FAULTS, ",S1,1,ocpp1.6,NoError,,,,,\n"]).items()) == [IGNORED]


def test_no_error_may_say_that_one_is_over() -> None:
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
def test_what_where_and_when_must_be_readable(row: str, code: str) -> None:
    """A fault with the wrong time would be held against the wrong sessions."""
    [item] = table("faults", [FAULTS, row + "\n"]).items()
    assert refusal(item)[0] == code


def test_codes_of_no_known_meaning_give_a_warning() -> None:
    """They become OTHER, which the person may not have meant."""
    given = table("faults", [FAULTS, ",S1,,,E-42,,,,,\n", ",S2,,,E-42,,,,,\n", ",S2,,,OTHER,,,,,\n"])
    assert len(list(given.items())) == 3
    [warning] = given.survey.warnings()
    assert warning == "2 faults have a code of no known meaning, taken as OTHER: E-42 of spotclaim (2)."
