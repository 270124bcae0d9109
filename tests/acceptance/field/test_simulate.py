"""`spotclaim simulate`: what it writes goes in by its doors, and live it is as if the fleet were there."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.acceptance.embedded import Up
from tests.acceptance.installation import Answer, Database, Process, Roles, await_that, command, settings, succeed
from tests.servers import temporary_folder

AT_ONCE = ("--outage", "harbour:GROUND_FAILURE@+30s/30")
OUTAGE = ("--outage", "harbour:GROUND_FAILURE@+20m/6")


@pytest.fixture
def up() -> Iterator[Up]:
    """An installation in a data folder of its own, which has not started."""
    with temporary_folder() as folder:
        up = Up(folder)
        yield up
        up.end()


def struck(truth: Path, *, sent: bool = True) -> set[str]:
    [outbreak] = (orjson.loads(line) for line in truth.read_bytes().splitlines())
    assert (outbreak["zone"], outbreak["code"], outbreak["sent"]) == ("harbour", "GROUND_FAILURE", sent)
    return set(outbreak["spots"])


def of_outage(claims: list[dict[str, Any]]) -> set[str]:
    return {claim["spot_id"] for claim in claims if claim["code"] == "GROUND_FAILURE"}


def tally_of(answer: Answer) -> dict[str, Any]:
    tally: dict[str, Any] = answer.json
    assert sum(tally["kinds"].values()) == tally["messages"]
    assert tally["quarantined"] == 0
    return tally


def test_events_go_in_by_send(up: Up, tmp_path: Path) -> None:
    """Every message is confirmed and there once, and whom the outage struck has a claim."""
    # Given a file of events, and what is true of it
    events, truth = tmp_path / "events.jsonl", tmp_path / "truth.jsonl"
    arguments = ("--spots", 60, "--duration", "6h", *OUTAGE, "--truth", truth, "--json")
    tally = tally_of(up.succeed("simulate", "--events", "-o", events, *arguments))
    assert len(events.read_bytes().splitlines()) == tally["messages"]
    # When it is sent
    sent = up.succeed("send", events, "--ledger", tmp_path / "ledger")
    # Then every message is confirmed, and none is lost, doubled or in quarantine
    assert sent.output == f"{tally['messages']:,} messages sent and confirmed.\n"
    reconciled = up.succeed("reconcile", "--ledger", tmp_path / "ledger", "--json").json
    assert reconciled["confirmed"] == tally["messages"] - tally["again"]
    assert (reconciled["lost"], reconciled["in_quarantine"]) == (0, 0)
    # And the struck spots have their claims
    assert of_outage(up.succeed("claims", "--json", "--limit", 1000).json) >= struck(truth)


def test_frames_go_in_by_import(up: Up, tmp_path: Path) -> None:
    """Every frame is accounted for, none is refused, and whom the outage struck has a claim."""
    log, truth = tmp_path / "log.csv", tmp_path / "truth.jsonl"
    tally = tally_of(
        up.succeed(
            "simulate", "--ocpp", "-o", log, "--spots", 60, "--duration", "6h", *OUTAGE, "--truth", truth, "--json"
        )
    )

    output = up.succeed("import", "ocpp", log).output

    read, *parts = (
        int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?= )", output.splitlines()[0])
    )
    assert read == tally["messages"] == sum(parts)
    assert " 0 in quarantine" in output
    assert of_outage(up.succeed("claims", "--json", "--limit", 1000).json) >= struck(truth)


def test_a_fleet_lives_beside_a_running_up(up: Up, tmp_path: Path) -> None:
    """At a rate, ending now; its claims are there when it ends or soon after."""
    truth = tmp_path / "truth.jsonl"
    with up.start():
        arguments = ("--spots", 60, "--duration", "3h", "--rate", 500, *OUTAGE, "--truth", truth, "--json")
        tally = tally_of(up.succeed("simulate", *arguments))

        assert tally["kinds"]["spots registered"] == 60
        assert up.succeed("reconcile", "--json").json["in_database"] == tally["messages"] - tally["again"]
        claims = up.succeed("claims", "--json", "--limit", 1000).json
        assert of_outage(claims) >= struck(truth)
        assert up.succeed("quarantine", "list", "--json").json == []


def test_a_fleet_lives_in_a_distributed_installation(
    database_url: str, amqp_url: str, redis_url: str, tmp_path: Path
) -> None:
    """Its messages go through the broker to the workers, each once."""
    given = settings(database_url=database_url, amqp_url=amqp_url, redis_url=redis_url)
    roles, truth = Roles(tmp_path, given), tmp_path / "truth.jsonl"
    try:
        roles.start()
        arguments = ("--spots", 60, "--duration", "2h", "--rate", 500, *OUTAGE, "--truth", truth, "--json")
        tally = tally_of(succeed(given, "simulate", *arguments))
        reconciled = succeed(given, "reconcile", "--json").json
        assert reconciled["in_database"] == tally["messages"] - tally["again"]
        claims = succeed(given, "claims", "--json", "--limit", 1000).json
        assert of_outage(claims) >= struck(truth)
    finally:
        roles.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_truth_of_a_run_that_is_interrupted(database_url: str, tmp_path: Path, how: signal.Signals) -> None:
    """It tells what was sent; or, where nobody could write any more, that it is what was planned."""
    truth, database = tmp_path / "truth.jsonl", Database(database_url)
    given = settings(database_url=database_url, data=tmp_path)
    arguments = ("--spots", 60, "--duration", "6h", "--speed", 60, *AT_ONCE, "--truth", truth)
    run = Process(tmp_path / "run.log", given, "simulate", *arguments)
    reported = "SELECT DISTINCT spot_id FROM faults WHERE message_id LIKE %s"

    def there() -> set[str]:
        return {spot_id for (spot_id,) in database.rows(reported, "%/outage-1%")}

    try:
        run.launch()
        await_that("two spots are struck", lambda: len(there()) >= 2)
        planned = struck(truth, sent=False)
        run.stop(how) if how == signal.SIGINT else run.kill()
    finally:
        run.kill()
    if how == signal.SIGINT:
        await_that("what was sent is there", lambda: there() == struck(truth))
    else:
        assert struck(truth, sent=False) == planned
    assert len(planned) == 30


def test_standard_output_holds_the_stream_alone(tmp_path: Path) -> None:
    """The same bytes as in a file; what is said about it goes to standard error."""
    arguments = ("simulate", "--events", "--spots", 5, "--duration", "6h")
    succeed(settings(), *arguments, "--output", tmp_path / "file")
    piped = succeed(settings(), *arguments, "--output", "-")
    assert piped.output.encode() == (tmp_path / "file").read_bytes()
    assert re.match(r"\d+ messages: ", piped.errors)


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (("--events", "--ocpp"), "give one of them"),
        (("--rate", 5, "--speed", 2), "give one of them"),
        (("--output", "x"), "--output is for --events or --ocpp"),
        (("--duration", "soon"), "--duration: 'soon' is no span of time; write it like 90s"),
        (("--start", "soon"), "--start: 'soon' is no moment"),
        (("--outage", "harbor@+5m"), "Is it harbour?"),
        (("--outage", "harbour@5m"), "write it as ZONE[:CODE]@+AFTER[/SPOTS]"),
        (("--outage", "harbour@+1d"), "--duration must be longer"),
        (("--events", "--truth", "/no/such/folder/truth"), "--truth: /no/such/folder/truth cannot be written"),
        (("--events", "--output", "/no/such/folder/file"), "--output: /no/such/folder/file cannot be written"),
        (("--spots", 0), "greater than or equal to 1"),
    ],
)
def test_wrong_usage_is_told_what_is_right(arguments: tuple[object, ...], right: str) -> None:
    """Exit code 2, before anything is started or sent."""
    answer = command(settings(), "simulate", *arguments)
    assert answer.code == 2
    assert right in answer.errors
    assert answer.output == ""
