"""Commands as programs and pipes use them: JSON, exit codes, and nothing made by looking."""

import json
import subprocess
from pathlib import Path

import pytest

from adapters.postgres.engine import connect
from adapters.postgres.store import PostgresStore
from domain.changes import Changes
from domain.field.batch import Quarantined
from tests.acceptance.installation import SPOTCLAIM, command, settings, succeed
from tests.builders import a_delivery, a_quarantined, an_event
from tests.servers.waiting import PATIENCE_SECONDS

NOTHING_EDITED = (
    "spotclaim: Nothing was edited, so nothing was replayed; without --edit it is replayed as it came.\n"
)
LOOKING = [
    "claims",
    "claim 01234567",
    "quarantine list",
    "quarantine show 01234567",
    "quarantine replay 01234567",
    "quarantine discard 01234567 --reason noise",
    "deliveries",
    "deliveries resend 01234567",
    "silences list",
    "evidence list 01234567",
    "audit verify",
    "users list",
    "reconcile",
    "doctor",
    "verify 01234567",
]


@pytest.mark.parametrize("line", LOOKING)
def test_looking_makes_nothing(tmp_path: Path, line: str) -> None:
    """A folder that is not there is said not to be, and is not there afterwards."""
    answer = command(settings(data=tmp_path / "nowhere"), *line.split())

    assert (answer.code, answer.output) == (2, "")
    assert answer.errors.startswith(f"spotclaim: There is no data of Spotclaim in {tmp_path / 'nowhere'}")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("line", ["schema asyncapi", "settings", "--help", "simulate --events --spots 5"])
@pytest.mark.parametrize("unbuffered", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_a_reader_that_goes_ends_the_command_quietly(
    tmp_path: Path, line: str, unbuffered: dict[str, str]
) -> None:
    """As it ends any other program: 128 and the number of SIGPIPE."""
    given = settings(data=tmp_path) | unbuffered
    assert into_a_closed_pipe(given, *line.split()) == (141, b"")


def into_a_closed_pipe(given: dict[str, str], *arguments: str) -> tuple[int, bytes]:
    """How a command ends whose reader has gone, and what it says of it."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([SPOTCLAIM, *arguments], env=given, **pipes)
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, errors


@pytest.mark.parametrize("line", ["schema asyncapi", "settings", "--help", "simulate --events --spots 5"])
def test_a_disk_that_is_full_is_said_in_one_line(tmp_path: Path, line: str) -> None:
    """And the exit code is that of something wrong."""
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [SPOTCLAIM, *line.split()],
            env=settings(data=tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_SECONDS,
        )
    sentence = b"spotclaim: What was to be printed could not be written: No space left on device.\n"
    assert (process.returncode, process.stderr) == (1, sentence)


def put(database_url: str, *messages: Quarantined) -> None:
    """Into quarantine, past any door."""
    engine = connect(database_url)
    with PostgresStore(engine).transaction() as transaction:
        transaction.quarantine(messages)
    engine.dispose()


def test_what_is_in_quarantine_is_shown_mended_and_discarded(
    database_url: str, amqp_url: str, redis_url: str, tmp_path: Path
) -> None:
    """By the beginning of its key; each step is said, and refused again is exit code 1."""
    given = settings(database_url=database_url, amqp_url=amqp_url, redis_url=redis_url, data=tmp_path)
    bad, noise = a_quarantined(b'{"specversion": "1.0", "id": "m-1"'), a_quarantined(b"noise\x1b[2J")
    put(database_url, bad, noise)

    assert into_a_closed_pipe(given, "quarantine", "show", bad.key[:8], "--raw") == (141, b"")
    assert (
        succeed(given, "quarantine", "show", bad.key[:8], "--raw").output == '{"specversion": "1.0", "id": "m-1"'
    )
    shown = succeed(given, "quarantine", "show", bad.key[:8]).output
    assert '"id": "m-1"' in shown
    assert "\x1b" not in succeed(given, "quarantine", "show", noise.key[:8]).output
    again = command(given, "quarantine", "replay", bad.key[:8])
    assert (again.code, again.errors) == (1, "spotclaim: Not JSON at character 34: Expecting ',' delimiter.\n")

    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps(an_event(id="m-1")))
    replayed = succeed(given, "quarantine", "replay", bad.key[:8], "--file", mended, "--reason", "cut short")
    assert replayed.output == f"{bad.key[:8]} is replayed.\n"
    assert command(given, "quarantine", "replay", bad.key[:8]).code == 1
    succeed(given, "quarantine", "discard", noise.key[:8], "--reason", "a test")

    assert succeed(given, "quarantine", "list", "--json").json == []
    settled = succeed(given, "quarantine", "list", "--state", "all", "--json").json
    assert {(row["state"], row["settled_why"]) for row in settled} == {
        ("replayed", "cut short"),
        ("discarded", "a test"),
    }
    [claim] = succeed(given, "claims", "--json").json
    assert claim["fault_count"] == 1


def test_an_editor_mends_a_message(database_url: str, tmp_path: Path) -> None:
    """It is given the bytes; what was refused again is there for the next attempt."""
    given = settings(database_url=database_url, data=tmp_path)
    body = json.dumps(an_event({"spot_id": "E1"}, id="m-1")).encode()
    kept = a_quarantined(body)
    put(database_url, kept)

    def replay(editor: str) -> tuple[int, str]:
        answer = command(given | {"EDITOR": editor, "VISUAL": ""}, "quarantine", "replay", kept.key[:8], "--edit")
        return answer.code, answer.errors

    assert replay("true") == (1, NOTHING_EDITED)
    assert replay("/nowhere/editor")[0] == 2
    assert replay("sed -i s/E1/E2/") == (1, "spotclaim: data.error: Field required.\n")
    mend = 's/"E2"/"E2", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}/'
    assert replay(f"sed -i '{mend}'") == (0, "")
    [claim] = succeed(given, "claims", "--json").json
    assert claim["spot_id"] == "E2"


def test_programs_read_what_people_read(tmp_path: Path) -> None:
    """Settings without their secrets, a policy and its mistakes."""
    given = settings(data=tmp_path, database_url="postgresql://ops:hunter2@localhost/x")
    values = {row["name"]: row["value"] for row in succeed(given, "settings", "--json").json}
    assert (values["SPOTCLAIM_PORT"], values["SPOTCLAIM_DATABASE_URL"]) == (8080, "**********")

    assert succeed(given, "policy", "check", "--json").json["sound"] is True
    (tmp_path / "policy.yaml").write_text("codes: 5\nversion: 7\n")
    answer = command(given, "policy", "check", tmp_path / "policy.yaml", "--json")
    assert (answer.code, answer.json["sound"], len(answer.json["mistakes"]) > 1) == (1, False, True)


@pytest.mark.parametrize("preset", ["strict", "lenient", "demo"])
def test_a_policy_to_begin_with(tmp_path: Path, preset: str) -> None:
    """Whole and sound, and never written over another; the strict one unless it is said."""
    given, file = settings(data=tmp_path), tmp_path / "mine.yaml"
    asked = () if preset == "strict" else ("--preset", preset)

    said = succeed(given, "policy", "init", *asked, file)

    assert f"the {preset} policy" in said.output
    built_in, mine = (succeed(given, "policy", "check", *which, "--json").json for which in ((), (file,)))
    assert mine["sound"]
    assert (mine == built_in) == (preset == "strict")
    again = command(given, "policy", "init", file)
    assert (again.code, again.errors.count("\n"), "there already" in again.errors) == (2, 1, True)
    assert command(given, "policy", "init", tmp_path / "none" / "x.yaml").code == 2
    assert command(given, "policy", "init", "--preset", "lax", tmp_path / "lax.yaml").code == 2


def test_what_failed_is_listed_and_sent_again(database_url: str, tmp_path: Path) -> None:
    """By its status and the end of its id; what was sent is not sent again."""
    given = settings(database_url=database_url, data=tmp_path)
    succeed(given, "migrate")
    failed, sent = a_delivery(status="failed", attempts=8, answer="500"), a_delivery(status="sent")
    engine = connect(database_url)
    with PostgresStore(engine).transaction() as transaction:
        transaction.record(Changes(failed, sent))
    engine.dispose()

    [row] = succeed(given, "deliveries", "--status", "failed", "--json").json
    assert (row["id"], row["reason"], row["answer"]) == (failed.id, "first", "500")
    assert "METER_MISREAD on spot DE*ABC*E1" in succeed(given, "deliveries").output
    assert succeed(given, "deliveries", "resend", failed.id[-8:]).output == (
        f"{failed.id[-8:]} will be sent to ops again.\n"
    )
    assert succeed(given, "deliveries", "--status", "failed", "--json").json == []
    refused = command(given, "deliveries", "resend", sent.id)
    assert (refused.code, refused.errors) == (
        1,
        "spotclaim: This delivery is sent; what failed or is unknown can be sent again.\n",
    )
    assert command(given, "deliveries", "--status", "lost").code == 2


def test_a_silence_is_made_shown_and_ended(database_url: str, tmp_path: Path) -> None:
    """Who, why and until when; one without an end, or of all there is, must be meant."""
    given = settings(database_url=database_url, data=tmp_path)
    succeed(given, "migrate")
    why = ("--why", "works in the street")

    silence = ("silences", "add", *why, "--hours", 2, "--zone", "north", "--code", "OTHER")
    made = succeed(given, *silence, "--json").json
    assert (made["zones"], made["codes"], made["severities"]) == (["north"], ["OTHER"], [])
    shown = succeed(given, "silences", "list").output
    assert "works in the street" in shown
    assert "codes OTHER; zones north" in shown
    succeed(given, "silences", "end", made["id"][-8:])
    assert succeed(given, "silences", "list", "--json").json == []
    [ended] = succeed(given, "silences", "list", "--all", "--json").json
    assert ended["ended_by"] == ended["created_by"]

    for wrong in (
        ("--hours", 2),
        ("--zone", "north"),
        ("--zone", "north", "--until", "2020-01-01"),
        ("--hours", 2, "--code", "E42"),
        ("--hours", 2, "--destination", "nobody"),
    ):
        assert command(given, "silences", "add", *why, *wrong).code == 2


def test_sending_is_told_to_programs(database_url: str, tmp_path: Path) -> None:
    """How many, and how many of them are in quarantine; `doctor` finds nothing wrong then."""
    given = settings(database_url=database_url, data=tmp_path)
    (tmp_path / "events.jsonl").write_text(json.dumps(an_event()) + "\nnonsense\n")

    answer = succeed(given, "send", tmp_path / "events.jsonl", "--json")
    assert answer.json == {"sent": 2, "quarantined": 1}
    assert all({"what", "well", "detail"} == set(row) for row in command(given, "doctor", "--json").json)
