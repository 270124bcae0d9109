"""An outage is one incident, one alert, claims under it, and one end; kill -9 changes only how long it takes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.acceptance import received
from tests.acceptance.embedded import Up
from tests.acceptance.installation import Process, await_that
from tests.builders import a_policy_file
from tests.contracts.receivers import WebHook, web_hook
from tests.servers import temporary_folder

CODE = "POWER_FAILURE"
SPOTS = 9
# A minute of it is a quarter of a second.
STORM = ("--spots", 60, "--duration", "12m", "--speed", 240, "--errors", 0, "--outage", f"harbour@+1m/{SPOTS}")
# Longer than a busy machine holds anything up; the other also than a start takes.
QUIET_MINUTES, RESTART_QUIET_MINUTES = 0.1, 0.5


@pytest.fixture
def hook() -> Iterator[WebHook]:
    with web_hook() as running:
        yield running


@pytest.fixture
def up(hook: WebHook) -> Iterator[Up]:
    """The demo with a receiver of notifications, in which some seconds without news are quiet."""
    with temporary_folder() as folder:
        up = Up(
            folder,
            "--demo",
            policy=a_policy(folder, QUIET_MINUTES),
            destinations=json.dumps({"ops": f"json://{hook.address}/"}),
            allow_internal_destinations=True,
        )
        yield up
        up.end()


@pytest.fixture
def storm(up: Up, tmp_path: Path) -> Iterator[Process]:
    """`spotclaim simulate --outage`, which has not started."""
    storm = Process(tmp_path / "storm.log", up.given, "simulate", *STORM, "--truth", tmp_path / "truth.jsonl")
    yield storm
    storm.kill()


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return tmp_path / "truth.jsonl"


def test_an_outage_is_told_once(up: Up, storm: Process, hook: WebHook, truth: Path) -> None:
    """As it begins and when it is over. Of its claims only those are announced that came before anybody knew."""
    with up.start() as api:
        storm.launch()
        assert storm.await_end() == 0
        await_over(api)
        incident = the_incident(api, hook, struck(truth))

        sent = received.claims_in(deliveries(api), "sent")
        shown = up.succeed("incident", "show", incident["id"][-8:], "--json").json
        assert set(sent) <= set(orjson.loads(shown["events"][0]["body"])["claims"])
        assert len(sent) < SPOTS
        assert (shown["intact"], of(shown["claims"], "id")) == (True, of(incident["claims"], "id"))
        assert of(up.succeed("incidents", "--json").json, "id") == [incident["id"]]
        assert set(of(up.succeed("deliveries", "--json").json, "id")) >= set(of(deliveries(api), "id"))


def test_an_outage_is_told_once_though_up_is_killed(up: Up, storm: Process, hook: WebHook, truth: Path) -> None:
    """While the incident is being opened, and before it is closed."""
    a_policy(up.data.parent, RESTART_QUIET_MINUTES)
    with up.start() as api:
        storm.launch()
        await_that("the third spot has a claim", lambda: len(claims(api)) >= 3)
        up.process.kill()
        assert storm.running

    with up.start() as api:
        assert storm.await_end() == 0
        await_that("all claims are under incidents", lambda: sum(of(found(api), "claim_count")) >= SPOTS)
        up.process.kill()
        assert "incident.closed" not in received.of_incident(hook)

    with up.start() as api:
        await_over(api)
        the_incident(api, hook, struck(truth))


def a_policy(folder: Path, quiet_minutes: float) -> Path:
    """Which `up` reads when it starts."""
    return a_policy_file(folder, quiet_minutes=quiet_minutes, digest_seconds=1, longest_minutes=0.05)


def the_incident(api: httpx.Client, hook: WebHook, spots: set[str]) -> dict[str, Any]:
    """The only one, with all these spots; the receiver heard once that it began, and once that it is over."""
    [row] = found(api)
    incident: dict[str, Any] = get(api, f"/api/v1/incidents/{row['id']}")
    assert (row["code"], row["place"], row["status"], row["closed_why"]) == (CODE, "harbour", "closed", "quiet")
    assert (row["peak"], row["claim_count"]) == (SPOTS, SPOTS)
    assert {claim["spot_id"] for claim in incident["claims"]} == spots

    assert received.of_incident(hook) == ["incident.opened", "incident.closed"]
    [over] = [message for message in received.messages(hook) if message["event"] == "incident.closed"]
    assert (over["reason"], over["spots"], over["zones"]) == ("resolved", SPOTS, ["harbour"])

    # Each claim is announced once or is not, and why not is on record.
    made = deliveries(api)
    under_review = [claim["id"] for claim in incident["claims"] if claim["status"] == "under_review"]
    assert received.claims_in(made, "sent", "suppressed") == dict.fromkeys(under_review, 1)
    assert {one["answer"] for one in made if one["status"] == "suppressed"} == {
        f"notified by incident {row['id']}"
    }
    return incident


def await_over(api: httpx.Client) -> None:
    def over() -> bool:
        made = deliveries(api)
        return "incident.closed" in {row["event"] for row in made} and all(
            row["status"] not in ("gathering", "pending") for row in made
        )

    await_that("the incident is over and everything is announced", over)


def of(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def struck(truth: Path) -> set[str]:
    [outbreak] = (orjson.loads(line) for line in truth.read_bytes().splitlines())
    assert outbreak["sent"]
    assert len(outbreak["spots"]) == SPOTS
    return set(outbreak["spots"])


def found(api: httpx.Client) -> list[dict[str, Any]]:
    incidents: list[dict[str, Any]] = get(api, "/api/v1/incidents")["incidents"]
    return incidents


def claims(api: httpx.Client) -> list[dict[str, Any]]:
    of_outage: list[dict[str, Any]] = get(api, "/api/v1/claims", code=CODE)["claims"]
    return of_outage


def deliveries(api: httpx.Client) -> list[dict[str, Any]]:
    """Those that tell of the outage; the demo has troubles of its own."""
    made = get(api, "/api/v1/deliveries", limit=1000)["deliveries"]
    return [row for row in made if row["code"] == CODE]


def get(api: httpx.Client, path: str, **query: Any) -> Any:
    return api.get(path, params=query).raise_for_status().json()
