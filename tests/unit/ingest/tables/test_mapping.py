"""A mapping file is checked whole before a row is read, and one sentence names what is wrong."""

from pathlib import Path

import pytest

from domain.errors import SetupError
from ingest.tables import mapping

SOUND = """
name: mine
record: sessions
columns: {spot: spot_id, session: session_id}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.yaml"


def test_the_built_in_mappings_are_sound() -> None:
    """They load, and bear the names they are chosen by."""
    assert list(mapping.built_in()) == ["dundee", "faults", "sessions", "spots"]


def test_a_mapping_is_loaded_by_name_or_by_file(file: Path) -> None:
    """Names of built-in mappings come first."""
    file.write_text(SOUND)
    assert mapping.load(str(file)).columns == {"spot": "spot_id", "session": "session_id"}
    assert mapping.load("dundee").time_zone == "Europe/London"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("colums: {}", "colums: Extra inputs are not permitted"),
        ("columns: {spot: spot_id}", "no column is mapped to session_id"),
        ("columns: {spot: spot_id, session: session_id, x: colour}", "columns.x: 'colour' is none of"),
        ("columns: {spot: spot_id, session: session_id, x: spot_id}", "spot_id has more than one column"),
        ("columns: {}", "columns: Dictionary should have at least 1 item"),
        ("required: [kwh]", "required: 'kwh' is not among the columns"),
        ("joined: {x: [Day, Time]}", "joined.x: columns must map it to a time, one of started_at"),
        ("joined: {spot: [Day, Time]}", "joined.spot: columns must map it to a time, one of started_at"),
        ("joined: {start: [Day]}", "joined.start: List should have at least 2 items"),
        ("time_zone: Europe/Dundee", "time_zone: 'Europe/Dundee' is no IANA time zone"),
        ("date_format: dd.mm.yyyy", "date_format: 'dd.mm.yyyy' does not name a whole date"),
        ("date_format: '%H:%M'", "date_format: '%H:%M' does not name a whole date"),
        ("energy_unit: MWh", "energy_unit: Input should be 'kWh' or 'Wh'"),
        ("decimal: ;", "decimal: Input should be"),
        ("name: ''", "name: String should match"),
        ("record: prices", "record: Input should be 'sessions', 'spots' or 'faults'"),
        ("record: faults", "no column is mapped to code"),
        ("power_unit: hp", "power_unit: Input should be 'kW' or 'W'"),
        ("thousands: .", "thousands: '.' is the decimal sign as well"),
        ("encoding: klingon", "encoding: 'klingon' is no text encoding that Python knows"),
        ("encoding: base64", "encoding: 'base64' is no text encoding that Python knows"),
        ("delimiter: ';;'", "delimiter: String should have at most 1 character"),
    ],
)
def test_what_is_wrong_is_named(file: Path, wrong: str, sentence: str) -> None:
    """The file, the line's name, and why."""
    # Given a sound mapping with one line changed
    name = wrong.split(":")[0]
    lines = [line for line in SOUND.splitlines() if not line.startswith(f"{name}:")]
    file.write_text("\n".join([*lines, wrong]))
    # Then loading it says so in one line
    with pytest.raises(SetupError) as caught:
        mapping.load(str(file))
    assert sentence in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["columns: [", "", "- a\n- b"])
def test_a_file_that_is_no_mapping(file: Path, text: str) -> None:
    """Broken YAML and other YAML are refused alike."""
    file.write_text(text)
    with pytest.raises(SetupError, match="Mapping"):
        mapping.load(str(file))


def test_a_name_that_is_neither_built_in_nor_a_file() -> None:
    """The error lists what is built in."""
    with pytest.raises(SetupError, match="neither built in \\(dundee, faults, sessions, spots\\) nor a file"):
        mapping.load("glasgow")
