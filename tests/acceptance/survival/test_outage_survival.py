"""A storm of one error while every role and server is killed: one incident, one alert, nothing lost or doubled.

The servers are this file's own, because it kills them.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
import redis

from tests.acceptance import received
from tests.acceptance.campaign import Campaign
from tests.acceptance.installation import Database, Roles, await_that, settings, succeed
from tests.builders import a_policy_file
from tests.contracts.receivers import WebHook, web_hook
from tests.servers import Servers, servers

WAVE = 250  # messages of 200 spots
LEASE_SECONDS = 3  # so that a step whose message was lost goes again while we watch
QUIET_MINUTES = 1  # longer than anything is away
MOST_DIGESTS = 20
QUORUM_QUEUES = ("spotclaim.faults", "spotclaim.intake", "spotclaim.detect", "spotclaim.deliver")


@dataclass(frozen=True)
class Installation:
    """The distributed form on servers of its own, and whom it tells."""

    servers: Servers
    roles: Roles
    database: Database
    given: dict[str, str]
    hook: WebHook

    def kill(self, *roles: str) -> None:
        for role in roles:
            self.roles[role].kill()
        self.roles.start()

    def empty_redis(self) -> None:
        with redis.Redis.from_url(self.servers.redis.url) as client:
            assert client.dbsize() > 0
            client.flushall()

    def kill_rabbitmq(self) -> None:
        self.servers.rabbitmq.kill()
        self.servers.rabbitmq.start()

    def kill_postgresql(self) -> None:
        self.servers.postgres.kill()
        self.servers.postgres.start()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with servers() as own, web_hook() as hook:
        given = settings(
            data=tmp_path / "data",
            database_url=own.postgres.url,
            amqp_url=own.rabbitmq.url,
            redis_url=own.redis.url,
            step_lease_seconds=LEASE_SECONDS,
            checkpoint_seconds=2,
            policy=a_policy_file(tmp_path, quiet_minutes=QUIET_MINUTES, digest_seconds=1, longest_minutes=0.05),
            destinations=json.dumps({"ops": f"json://{hook.address}/"}),
            allow_internal_destinations=True,
        )
        succeed(given, "migrate")
        roles = Roles(tmp_path, given, "scheduler")
        try:
            roles.start()
            for queue in QUORUM_QUEUES:
                own.rabbitmq.await_on_disk(queue)
            yield Installation(own, roles, Database(own.postgres.url), given, hook)
        finally:
            roles.kill()


@pytest.fixture
def wave(installation: Installation, tmp_path: Path) -> Callable[[], Campaign]:
    """Makes the next part of the storm: spots of one zone that all report one error now."""
    numbers = count(1)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def make() -> Campaign:
        name, given, database = f"storm-{next(numbers)}", installation.given, installation.database
        return Campaign(name, WAVE, tmp_path, given, database, zone="harbour", occurred_at=now)

    return make


def test_one_incident_whatever_is_killed(installation: Installation, wave: Callable[[], Campaign]) -> None:
    """Each strikes when a wave of the storm has begun to come in."""
    waves: list[Campaign] = []
    strikes: list[Callable[[], object]] = [
        lambda: installation.kill("worker"),
        lambda: (installation.empty_redis(), installation.kill("relay")),
        installation.kill_rabbitmq,
        lambda: installation.kill("ingest", "scheduler"),
        installation.kill_postgresql,
    ]
    for strike in strikes:
        waves.append(wave())
        with waves[-1].being_sent():
            waves[-1].await_taken_in(1)
            strike()
    for each in waves:
        each.await_drained()

    spots = sum(each.spots for each in waves)
    [(incident_id, status, peak, claims)] = installation.database.rows(
        "SELECT id::text, status, peak, claim_count FROM incidents"
    )
    assert (status, peak, claims) == ("open", spots, spots)
    linked = "SELECT count(DISTINCT spot_id), count(*) FROM incident_claims JOIN claims ON claims.id = claim_id"
    assert installation.database.rows(f"{linked} WHERE incident_id = %s", incident_id) == [(spots, spots)]

    succeed(installation.given, "incident", "close", incident_id, "--note", "The transformer is back.")
    await_that("its end is announced", lambda: "incident.closed" in received.of_incident(installation.hook))
    verify_told(installation, spots)
    verify_record(installation, waves)


def verify_told(installation: Installation, spots: int) -> None:
    """Nothing is lost or doubled: each claim is announced or is not, and whatever was to be sent has arrived."""
    await_that("all that is owed is done", lambda: installation.database.steps_due == 0)
    columns = ("id", "event", "status", "reason", "subject_ids")
    rows = installation.database.rows(
        "SELECT id::text, event, status, reason, subject_ids::text[] FROM deliveries"
    )
    made = [dict(zip(columns, row, strict=True)) for row in rows]
    messages = received.messages(installation.hook)

    assert received.of_incident(installation.hook) == ["incident.opened", "incident.closed"]
    assert {row["id"] for row in made if row["status"] == "sent"} == {one["delivery"] for one in messages}
    assert {row["status"] for row in made} == {"sent", "suppressed"}
    assert sum(row["reason"] == "digest" for row in made) <= MOST_DIGESTS
    named = received.claims_in(made, "sent", "suppressed")
    assert (len(named), set(named.values())) == (spots, {1})


def verify_record(installation: Installation, waves: list[Campaign]) -> None:
    there = succeed(installation.given, "reconcile", "--json").json
    assert (there["lost"], there["duplicated"]) == (0, 0)
    assert there["in_database"] == sum(each.faults for each in waves)
    assert succeed(installation.given, "audit", "verify", "--json").json["sound"]
