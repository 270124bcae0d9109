"""`spotclaim import` for somebody who has a spreadsheet: try it, bring it in, do so again."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import polars
import pytest

from tests.acceptance.installation import Answer, command, settings
from tests.servers import temporary_folder

ROWS = [f"S{number % 5};{number};{number % 28 + 1:02}.03.2025 10:00;{number % 60},5\n" for number in range(4000)]
HEADER = "Ladepunkt;Vorgang;Beginn;Energie\n"
MAPPING = """
name: stadtwerk
record: sessions
columns: {Ladepunkt: spot_id, Vorgang: session_id, Beginn: started_at, Energie: energy_kwh}
date_format: "%d.%m.%Y %H:%M"
decimal: ","
time_zone: Europe/Berlin
"""


class Desk:
    """A folder with a table, its mapping, and the command line on embedded parts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "mapping.yaml").write_text(MAPPING)
        self.given = settings(data=folder / "data")

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def import_(self, record: str, file: Path, *options: object) -> Answer:
        return command(self.given, "import", record, file, *options)

    def sessions(self, file: Path, *options: object) -> Answer:
        return self.import_("sessions", file, "--mapping", self.folder / "mapping.yaml", *options)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with temporary_folder() as folder:
        yield Desk(folder)


def test_a_table_is_tried_and_imported_and_imported_again(desk: Desk) -> None:
    """The trial says what it understands, the import accounts for every row, the repetition changes nothing."""
    # Given a table with a row that names no spot
    file = desk.file("sessions.csv", "".join([HEADER, *ROWS, ";X;01.03.2025 10:00;1,5\n"]).encode("utf-8-sig"))
    # When it is tried
    tried = desk.sessions(file, "--dry-run")
    # Then it says so, and writes nothing
    assert tried.code == 1
    assert "cells between semicolons" in tried.output
    assert "Ladepunkt -> spot_id" in tried.output
    assert "4,001 rows: 4,000 to accept, 0 that repeat another, 1 to refuse" in tried.output
    assert "MISSING_FIELD: 1 row (4,002)" in tried.output
    assert not (desk.folder / "data").exists()
    # And the import and its repetition count alike
    first, again = (desk.sessions(file, "--json").json for _ in range(2))
    assert "No session states a connector" in first["warnings"][0]
    counts = {"read": 4001, "accepted": 4000, "known": 0, "refused": 1, "ignored": 0}
    assert first == counts | {"warnings": again["warnings"]}
    assert again == first | {"accepted": 0, "known": 4000}


def test_a_damaged_file_tells_what_it_gave(desk: Desk) -> None:
    """The rows before the damage are in; the error and the exit code say that there were more."""
    packed = gzip.compress("".join([HEADER, *ROWS]).encode())
    broken = desk.sessions(desk.file("sessions.csv.gz", packed[:-400]))
    assert broken.code == 1
    assert "rows read: " in broken.output
    assert "0 accepted" not in broken.output
    assert "spotclaim: The compressed file is damaged" in broken.errors


def test_faults_of_a_parquet_file_become_claims(desk: Desk) -> None:
    """From a table to `spotclaim claims` with one command."""
    frame = polars.DataFrame(
        {
            "spot_id": ["S1", "S1"],
            "code": ["GroundFailure"] * 2,
            "taxonomy": ["ocpp1.6"] * 2,
            "occurred_at": ROWS[:2],
        }
    ).with_columns(occurred_at=polars.datetime(2025, 3, polars.int_range(1, 3)))
    file = desk.folder / "faults.parquet"
    frame.write_parquet(file)
    assert desk.import_("faults", file, "--json").json["accepted"] == 2
    [claim] = command(desk.given, "claims", "--json").json
    assert (claim["spot_id"], claim["code"], claim["fault_count"]) == ("S1", "GROUND_FAILURE", 2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "No built-in mapping fits these faults"),
        (b"a\x1b[31m,b\n1,2\n", "The header has a\\x1b[31m, b."),
        (b"BZh9", "packed by bzip2"),
    ],
)
def test_a_file_that_will_not_do_is_refused_before_anything_starts(desk: Desk, content: bytes, words: str) -> None:
    """In one line without control characters."""
    refused = desk.import_("faults", desk.file("faults.csv", content))
    assert refused.code == 2
    assert words in refused.errors
    assert refused.errors.count("\n") == 1
    assert not (desk.folder / "data").exists()
