"""`spotclaim import ocpi` as somebody uses it who was handed files by a partner."""

import gzip
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.installation import SPOTCLAIM, Answer, Database, command, settings, succeed
from tests.unit.ingest.ocpi.objects import a_patch, a_session, in_lines, reserve_now

CURRENT = "SELECT spot_id, session_id, energy_kwh FROM usage_records WHERE current"


@pytest.fixture
def given(database_url: str, tmp_path: Path) -> dict[str, str]:
    return settings(database_url=database_url, data=tmp_path / "data")


@pytest.fixture
def database(database_url: str) -> Database:
    return Database(database_url)


def test_files_of_every_kind_are_one_handing_over(
    given: dict[str, str], database: Database, tmp_path: Path
) -> None:
    """Packed or marked by Windows; what came of them is reported, and what gave nothing; again, they are known."""
    packed, marked = tmp_path / "sessions.json.gz", tmp_path / "patches.json"
    packed.write_bytes(gzip.compress(in_lines(a_session(), {"id": "nothing known"})))
    marked.write_bytes(b"\xef\xbb\xbf" + in_lines(a_patch(70, kwh=12.0), reserve_now()))

    for came in ("2 accepted, 0 already known", "0 accepted, 2 already known"):
        result = succeed(given, "import", "ocpi", packed, marked)

        assert result.output == (
            f"4 objects read: {came}, 1 in quarantine, 1 without anything for Spotclaim.\n"
            "Without anything: command 1.\n"
        )
        assert database.rows(CURRENT) == [("FR*ABC*E1", "s-1", 12.0)]
        assert database.rows("SELECT reason, convert_from(body, 'UTF8') FROM quarantine") == [
            ("UNKNOWN_OBJECT", '{"id": "nothing known"}')
        ]


def piped(given: dict[str, str], content: bytes, *arguments: str) -> Answer:
    done = subprocess.run(
        [SPOTCLAIM, "import", "ocpi", "-", *arguments], env=given, input=content, capture_output=True
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_standard_input_and_what_the_objects_do_not_say(given: dict[str, str], database: Database) -> None:
    """The session and its party are named beside them."""
    session = a_session(country_code=None, party_id=None, id=None)

    assert piped(given, in_lines(session), "--url", "/ocpi/2.2.1/sessions/FR/ABC/s-1").code == 0

    assert database.rows(CURRENT) == [("FR*ABC*E1", "s-1", 11.0)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["absent.json"], "absent.json cannot be read: No such file"),
        (["absent.json", "--kind", "car"], "'car' is no kind of OCPI object; there are location,"),
        (["absent.json", "--party", "?"], "'?' is no party; write country and party like BE*BEC."),
    ],
)
def test_wrong_usage_is_said_and_leaves_with_2(given: dict[str, str], arguments: list[Any], sentence: str) -> None:
    """In one line, without a trace."""
    result = command(given, "import", "ocpi", *arguments)
    assert (result.code, sentence in result.errors, "Traceback" in result.errors) == (2, True, False)
