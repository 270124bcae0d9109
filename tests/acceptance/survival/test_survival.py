"""Kill -9 of every process and every server while faults pour in: nothing is lost, doubled or left undone.

The servers are this file's own, because it kills them; its cases share them, and the roles, one after the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import redis

from tests.acceptance.campaign import Campaign
from tests.acceptance.installation import Database, Roles, await_that, settings, succeed
from tests.builders import a_policy_file
from tests.servers import Servers, servers

SIZE = 10_000
HALF = SIZE // 2
KILLS = (1_000, 3_000, 5_000)
LEASE_SECONDS = 3  # so that a step whose message was lost goes again while we watch


@dataclass(frozen=True)
class Installation:
    """The distributed form on servers of its own."""

    servers: Servers
    roles: Roles
    database: Database
    given: dict[str, str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with servers() as own:
        given = settings(
            database_url=own.postgres.url,
            amqp_url=own.rabbitmq.url,
            redis_url=own.redis.url,
            step_lease_seconds=LEASE_SECONDS,
            # Digests a second or three apart, so that what is killed often has gathered something.
            policy=a_policy_file(tmp_path_factory.mktemp("policy"), digest_seconds=1, longest_minutes=0.05),
        )
        succeed(given, "migrate")
        roles = Roles(tmp_path_factory.mktemp("roles"), given)
        try:
            yield Installation(own, roles, Database(own.postgres.url), given)
        finally:
            roles.kill()


@pytest.fixture
def installation(whole: Installation) -> Installation:
    """Everything runs, whatever the case before did."""
    for server in (whole.servers.postgres, whole.servers.rabbitmq, whole.servers.redis):
        if not server.running:
            server.start()
    whole.roles.start()
    for queue in ("spotclaim.faults", "spotclaim.intake", "spotclaim.verify", "spotclaim.deliver"):
        whole.servers.rabbitmq.await_on_disk(queue)
    return whole


@pytest.fixture
def campaigns(
    installation: Installation, request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[int], Campaign]:
    """Makes campaigns of a size, each from a source of its own."""
    test = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    numbers = count(1)
    return lambda size: Campaign(
        f"{test}-{next(numbers)}", size, tmp_path, installation.given, installation.database
    )


@pytest.fixture
def campaign(campaigns: Callable[[int], Campaign]) -> Campaign:
    return campaigns(SIZE)


@pytest.fixture
def backlog(installation: Installation, campaigns: Callable[[int], Campaign]) -> Campaign:
    """Messages that were confirmed and wait in RabbitMQ, while nobody consumes; nobody will send them again."""
    backlog = campaigns(HALF)
    installation.roles["ingest"].kill()
    with backlog.being_sent():
        pass
    return backlog


@pytest.mark.parametrize("role", ["ingest", "worker"])
def test_a_role_that_intake_passes_through_is_killed(
    installation: Installation, campaign: Campaign, role: str
) -> None:
    """`ingest` and `worker` die three times with batches in their hands, which come again."""
    with campaign.being_sent():
        for progress in KILLS:
            campaign.await_taken_in(progress)
            installation.roles[role].kill()
            assert campaign.taken_in < campaign.faults
            installation.roles.restart(role)

    campaign.await_drained()
    campaign.verify()


def test_the_relay_is_killed(installation: Installation, campaign: Campaign) -> None:
    """Steps pile up while nobody sends them, among them some that the dead relay had leased."""
    with campaign.being_sent():
        campaign.await_taken_in(KILLS[0])
        installation.roles["relay"].kill()
        assert campaign.taken_in < campaign.faults
        await_that("steps are owed", lambda: installation.database.steps_due > 0)
        installation.roles.restart("relay")

    campaign.await_drained()
    campaign.verify()


def test_rabbitmq_is_killed(
    installation: Installation, backlog: Campaign, campaigns: Callable[[int], Campaign]
) -> None:
    """The broker dies under publisher, consumer, worker and relay. The publisher sends everything again."""
    campaign = campaigns(HALF)
    # Both start together, so that the one still sends when the other takes in.
    installation.roles["ingest"].launch()
    with campaign.being_sent() as publisher:
        backlog.await_taken_in(KILLS[0])
        assert publisher.running
        installation.servers.rabbitmq.kill()
        assert backlog.taken_in < backlog.faults
        installation.servers.rabbitmq.start()

    for each in (backlog, campaign):
        each.await_drained()
        each.verify()


def test_postgresql_is_killed(installation: Installation, campaign: Campaign) -> None:
    """The database dies with transactions open; intake and steps wait for it and go on."""
    with campaign.being_sent():
        campaign.await_taken_in(KILLS[0])
        installation.servers.postgres.kill()
        installation.servers.postgres.start()
        assert campaign.taken_in < campaign.faults

    campaign.await_drained()
    campaign.verify()


def test_redis_is_emptied_and_killed(installation: Installation, campaign: Campaign) -> None:
    """Redis holds no truth: the claims do not notice."""
    with campaign.being_sent():
        campaign.await_taken_in(KILLS[0])
        with redis.Redis.from_url(installation.servers.redis.url) as client:
            assert client.dbsize() > 0
            client.flushall()
        campaign.await_taken_in(KILLS[-1])
        installation.servers.redis.kill()
        assert campaign.taken_in < campaign.faults
        installation.servers.redis.start()

    campaign.await_drained()
    campaign.verify()


def test_the_power_fails(installation: Installation, backlog: Campaign) -> None:
    """Every role and every server dies at once; the roles are started when the servers are back."""
    installation.roles.restart("ingest")
    backlog.await_taken_in(KILLS[0])

    installation.roles.kill()
    installation.servers.kill()
    installation.servers.start()
    assert backlog.taken_in < backlog.faults
    installation.roles.start()

    backlog.await_drained()
    backlog.verify()


def test_roles_that_are_told_to_stop_end_well(installation: Installation) -> None:
    """Ctrl-C, and so a container's stop, is not an error."""
    assert installation.roles.stop() == {"ingest": 0, "worker": 0, "relay": 0}


def test_roles_that_lost_their_servers_still_end_well(installation: Installation) -> None:
    """No wait for a server that is away outlives the order to stop."""
    installation.servers.kill()

    assert installation.roles.stop() == {"ingest": 0, "worker": 0, "relay": 0}
