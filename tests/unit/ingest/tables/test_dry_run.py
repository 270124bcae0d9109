"""A trial tells what an import would do, row by row accounted for."""

import io
from datetime import UTC, datetime

from ingest.files.importer import ImportTally
from ingest.tables.dry_run import dry_run_json, try_out
from ingest.tables.reader import Table

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LINES = """spot_id,session_id,started_at,energy_kwh,notes
S1,1,2025-03-14T10:00:00Z,1.5,first
S1,1,2025-03-14T10:00:00Z,1.5,again
,2,2025-03-14T10:00:00Z,1.5,
S2,3,2025-03-14T10:00:00Z,n/a,
{far},4,2025-03-14T10:00:00Z,1.5,
S2,5,lately,1.5,
"""


def table(text: str = LINES) -> Table:
    content = text.replace("{far}", "S" * 65).encode()
    return Table(io.BufferedReader(io.BytesIO(content)), "sessions")


def test_every_row_is_accounted_for() -> None:
    """To accept, repeated in the file, or refused, by reason, with its number and its text."""
    # Given a table with rows of each kind
    given = table()
    # When it is tried
    tried = try_out(given, lambda: NOW)
    # Then each is counted once, those that only the wire refuses too
    assert tried.tally == ImportTally(read=6, accepted=2, known=1, refused=3)
    assert {code: refused.rows for code, refused in tried.refused.items()} == {
        "MISSING_FIELD": [4],
        "INVALID_FIELD": [6, 7],
    }
    assert tried.refused["MISSING_FIELD"].examples == [
        {
            "row": 4,
            "sentence": "Column spot_id (spot_id) is empty.",
            "raw": ",2,2025-03-14T10:00:00Z,1.5,",
        }
    ]
    # And the first rows are there as they would be ingested
    assert tried.first_rows[0] == {
        "row": 2,
        "spot_id": "S1",
        "session_id": "1",
        "started_at": "2025-03-14T10:00:00+00:00",
        "energy_kwh": 1.5,
    }
    assert [row["row"] for row in tried.first_rows] == [2, 5]


def test_for_programs() -> None:
    """The layout, the totals, the refusals and the warnings in one object."""
    given = table()
    shown = dry_run_json(given, try_out(given, lambda: NOW))
    assert shown["columns"]["energy_kwh"] == "energy_kwh"
    assert shown["unused_columns"] == ["notes"]
    assert (shown["spots"], shown["first_start"]) == (3, "2025-03-14T10:00:00")
    assert shown["tally"] == {"read": 6, "accepted": 2, "refused": 3, "ignored": 0, "known": 1}
    assert shown["refused"]["INVALID_FIELD"]["count"] == 2
    assert [warning[:17] for warning in shown["warnings"]] == ["Column energy_kwh", "No session states"]


def test_a_damaged_file_is_read_as_far_as_it_goes() -> None:
    """The rows before the damage are worth knowing."""
    # Given UTF-16 that ends within a character
    content = ("\ufeff" + LINES.split("S1,1", 1)[0] + "S1,1,,,\n").encode("utf-16-le") + b"x"
    given = Table(io.BufferedReader(io.BytesIO(content)), "sessions")
    # When it is tried
    tried = try_out(given, lambda: NOW)
    # Then the trial says why it ends
    assert tried.damaged is not None
    assert "from some place on" in tried.damaged
