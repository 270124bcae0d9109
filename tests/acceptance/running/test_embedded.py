"""`spotclaim up` on a machine that has nothing else: it survives kill -9, ends cleanly, and shares its data."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.embedded import TOKEN, Up, await_routed_and_announced, claims_of
from tests.acceptance.messages import encoded, fault
from tests.servers import temporary_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


@pytest.fixture
def up(folder: Path) -> Iterator[Up]:
    """An installation that has not started yet."""
    up = Up(folder)
    yield up
    up.end()


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    """A file of three faults: two of one spot, and one of another."""
    spots = ["FILE*1", "FILE*2", "FILE*1"]
    file = tmp_path / "faults.jsonl"
    file.write_bytes(b"\n".join(encoded(fault("file", number, spot)) for number, spot in enumerate(spots)))
    return file


def test_an_answered_fault_survives_a_kill(up: Up) -> None:
    """202 means durable: the process is killed in the moment it has answered, and the claim goes on later."""
    with up.start() as api:
        answer = api.post("/api/v1/faults", json=fault("api", 1, "KILL*1")["data"])
        up.process.kill()
        assert answer.status_code == 202, answer.text

    with up.start() as api:
        claim = await_routed_and_announced(api, "KILL*1")
        events = api.get(f"/api/v1/claims/{claim['id']}/events").json()

    assert claim["fault_count"] == 1
    assert events["intact"]


def test_ctrl_c_leaves_nothing_running(up: Up) -> None:
    """PostgreSQL stops with the process, and with its successor when the process itself was killed."""
    up.start().close()
    assert up.postgres_processes()
    assert up.process.stop() == 0
    assert up.postgres_processes() == []

    up.start().close()
    up.process.kill()
    assert up.postgres_processes()
    up.start().close()
    assert up.process.stop() == 0
    assert up.postgres_processes() == []


def test_a_postgresql_that_was_killed_as_well_recovers(up: Up) -> None:
    """A power cut takes the database too; what was answered is there afterwards."""
    with up.start() as api:
        assert api.post("/api/v1/faults", json=fault("api", 1, "CUT*1")["data"]).status_code == 202
        up.end()
        assert up.postgres_processes() == []

    with up.start() as api:
        await_routed_and_announced(api, "CUT*1")


def test_a_second_up_on_the_same_folder_is_refused(up: Up) -> None:
    """One line that names the folder, and the first goes on undisturbed."""
    with up.start() as api:
        refused = up.command("up")

        assert refused.code == 2
        assert refused.output == ""
        assert refused.errors.startswith("spotclaim: Another `spotclaim up` runs on ")
        assert str(up.data) in refused.errors
        assert refused.errors.count("\n") == 1
        assert api.get("/readyz").status_code == 200


def test_commands_work_beside_a_running_up(up: Up, faults: Path, tmp_path: Path) -> None:
    """They share the database, and leave it running when they end."""
    with up.start() as api:
        sent = up.succeed("send", faults, "--ledger", tmp_path / "ledger")
        assert sent.output == "3 messages sent and confirmed.\n"
        claim = await_routed_and_announced(api, "FILE*1")

        listed = up.succeed("claims", "--json").json
        assert sorted((row["spot_id"], row["fault_count"]) for row in listed) == [("FILE*1", 2), ("FILE*2", 1)]
        assert "FILE*2" in up.succeed("claims").output
        story = up.succeed("claim", claim["id"][-8:]).output
        assert "GROUND_FAILURE on spot FILE*1" in story
        assert "intact" in story
        reconciled = up.succeed("reconcile", "--ledger", tmp_path / "ledger", "--json").json
        assert (reconciled["confirmed"], reconciled["in_database"], reconciled["lost"]) == (3, 3, 0)
        assert "WRONG" not in up.succeed("doctor").output
        assert up.succeed("quarantine", "list", "--json").json == []

        assert api.get("/readyz").status_code == 200
        assert up.process.running


def test_commands_work_without_a_running_up(up: Up, faults: Path) -> None:
    """`send` carries out what follows before it returns, and no PostgreSQL stays behind."""
    up.succeed("send", faults)

    listed = up.succeed("claims", "--json").json

    assert {(row["spot_id"], row["status"]) for row in listed} == {
        ("FILE*1", "under_review"),
        ("FILE*2", "under_review"),
    }
    assert "sent" in up.succeed("claim", listed[0]["id"]).output
    assert up.postgres_processes() == []


def test_what_a_killed_command_left_is_finished_by_the_next(up: Up, faults: Path) -> None:
    """A fault that `send` took in beside a killed `up` is carried on by whoever comes."""
    up.start().close()
    up.process.kill()

    up.succeed("send", faults)

    assert [row["status"] for row in up.succeed("claims", "--json").json] == ["under_review"] * 2
    assert up.postgres_processes() == []


def test_a_generated_token_is_shown_once(folder: Path) -> None:
    """Without a token in the environment the first start makes one; no later start shows it or another."""
    up = Up(folder, token=None)
    try:
        up.start().close()
        shown = re.findall(r"API token of the role admin, shown this once: (\S+)", up.process.said)
        assert len(shown) == 1
        with up.client(shown[0]) as api:
            assert api.get("/api/v1/claims").status_code == 200
        assert up.process.stop() == 0

        up.start().close()
        assert "API token" not in up.process.said
        assert shown[0] not in up.process.said
        with up.client(shown[0]) as api:
            assert api.get("/api/v1/claims").status_code == 200
    finally:
        up.end()


def test_a_given_token_is_never_shown(up: Up) -> None:
    """What the operator chose need not be shown, and must not be logged."""
    with up.start() as api:
        assert api.get("/api/v1/claims").status_code == 200
    assert up.process.stop() == 0
    assert TOKEN not in up.process.said


def test_sigterm_is_as_good_as_ctrl_c(up: Up) -> None:
    """Service managers and containers send SIGTERM."""
    with up.start() as api:
        api.post("/api/v1/faults", json=fault("api", 1, "TERM*1")["data"])
        assert up.process.stop(signal.SIGTERM) == 0
    assert up.postgres_processes() == []

    with up.start() as api:
        assert len(claims_of(api, "TERM*1")) == 1
