"""Destinations by command: added, listed, tried out and removed, with their secrets kept."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import SPOTCLAIM, command, settings, succeed
from tests.contracts.receivers import WebHook, web_hook
from tests.servers.waiting import PATIENCE_SECONDS

SECRET = "hunter2-hunter2"


@pytest.fixture
def hook() -> Iterator[WebHook]:
    with web_hook() as running:
        yield running


@pytest.fixture
def here(database_url: str, tmp_path: Path) -> dict[str, str]:
    return settings(database_url=database_url, data=tmp_path, allow_internal_destinations=True)


def add_by_input(here: dict[str, str], name: str, url: str) -> subprocess.CompletedProcess[str]:
    line = [SPOTCLAIM, "destinations", "add", name]
    return subprocess.run(
        line, env=here, input=f"{url}\n", capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def test_a_destination_lives_by_commands(here: dict[str, str], hook: WebHook) -> None:
    """From standard input, so that the shell does not keep it; never shown again."""
    added = add_by_input(here, "night", f"json://me:{SECRET}@{hook.address}/{SECRET}")
    listed = succeed(here, "destinations", "list")
    as_json = succeed(here, "destinations", "list", "--json")
    tried = succeed(here, "destinations", "test", "night")
    hook.status = 500
    refused = command(here, "destinations", "test", "night")
    removed = succeed(here, "destinations", "remove", "night")
    gone = command(here, "destinations", "test", "night")

    assert added.returncode == 0, added
    assert "night" in listed.output
    assert "json://127.0.0.1 " in listed.output
    assert {row["name"] for row in json.loads(as_json.output)} == {"ops", "night"}
    assert ("test" in hook.posted[0][1]["title"], "sent" in tried.output) == (True, True)
    assert (refused.code, "failed" in refused.output, gone.code) == (1, True, 1)
    said = [added.stdout, added.stderr, *(a.output + a.errors for a in (listed, as_json, tried, refused, removed))]
    assert SECRET not in "".join(said)


@pytest.mark.parametrize("url", [f"pigeon://{SECRET}", "", f"slack://{SECRET}", f"http://[{SECRET}"])
def test_a_url_that_cannot_be_used_is_refused(here: dict[str, str], url: str) -> None:
    """At once, and without its secrets."""
    answer = add_by_input(here, "night", url)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "night" in answer.stderr
    assert SECRET not in answer.stderr
    assert "night" not in succeed(here, "destinations", "list").output


def test_the_policy_may_name_one_that_a_command_adds(here: dict[str, str], tmp_path: Path) -> None:
    """Before, nothing is ingested; what only looks and what adds it need it not."""
    built_in = (Path(__file__).parents[3] / "domain" / "policy" / "policy.yaml").read_text()
    file = tmp_path / "policy.yaml"
    file.write_text(built_in.replace("to: [ops]", "to: [night]"))
    named = here | settings(policy=file)
    spots = tmp_path / "spots.csv"
    spots.write_text("spot_id\nDE*ABC*E1\n")
    before = command(named, "import", "spots", spots)

    succeed(named, "destinations", "add", "night", "log://")

    assert (before.code, "destinations add" in before.errors) == (2, True)
    succeed(named, "import", "spots", spots)


def test_a_configured_name_is_not_taken(here: dict[str, str]) -> None:
    """Which of the two would be notified must not be a riddle."""
    configured = here | settings(destinations='{"night": "log://"}')

    answer = command(configured, "destinations", "add", "night", "log://")

    assert (answer.code, "SPOTCLAIM_DESTINATIONS" in answer.errors) == (2, True)


def test_what_would_be_sent_is_shown(here: dict[str, str], tmp_path: Path) -> None:
    """For each kind of destination, or one of them; a broken template is reported, and the built-in one shown."""
    folder = tmp_path / "templates"
    folder.mkdir()
    own = here | settings(templates=folder, public_url="https://claims.example.org")

    every = succeed(own, "notify", "preview")
    hook = json.loads(succeed(own, "notify", "preview", "--event", "claim.opened", "--json").output)["webhook"]
    incident = succeed(own, "notify", "preview", "--event", "incident.opened").output
    unknown = command(own, "notify", "preview", "--event", "incident.nonsense")
    one = succeed(own, "notify", "preview", "--destination", "ops")
    (folder / "chat.txt").write_text("{{ colour }}")
    broken = command(own, "notify", "preview")
    doctor = command(own, "doctor")

    assert [kind for kind in ("chat", "mail", "webhook") if f"--- {kind}" not in every.output] == []
    assert "https://claims.example.org/claims/" in every.output
    assert hook["extras"]["spotclaim"]["event"] == "claim.opened"
    assert ("on 9 spots in north: an incident" in incident, "/incidents/" in incident) == (True, True)
    assert (unknown.code, "no event incident.nonsense" in unknown.errors) == (1, True)
    assert "--- ops" in one.output
    assert (broken.code, "chat.txt" in broken.errors, "DE*ABC*E1" in broken.output) == (1, True, True)
    assert ("chat.txt" in doctor.output, doctor.code) == (True, 1)


def test_a_test_message_goes_to_one_destination(here: dict[str, str], hook: WebHook) -> None:
    """The same by either name of the command."""
    add_by_input(here, "night", f"json://{hook.address}/")

    succeed(here, "notify", "test", "night")

    assert len(hook.posted) == 1
