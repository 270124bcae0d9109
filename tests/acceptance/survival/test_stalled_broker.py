"""A broker that accepts connections and then says nothing, as a frozen machine or a firewall does."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.rabbitmq.connection import SOCKET_SECONDS
from ingest.rabbitmq import topology
from tests.acceptance.installation import Database, Roles, await_that, command, settings
from tests.acceptance.messages import encoded, fault
from tests.servers import RabbitMQServer, temporary_folder
from tests.servers.loopback import HOST
from tests.servers.waiting import wait_until
from workers.runtime.actors import INTAKE_QUEUE
from workers.steps.registry import STEPS

STEP_QUEUES = [kind.queue for kind in STEPS.values()]
QUEUES = [*topology.QUEUES.values(), topology.OCPP_QUEUE, INTAKE_QUEUE, *STEP_QUEUES]


@pytest.fixture
def rabbitmq() -> Iterator[RabbitMQServer]:
    """A broker that may be killed."""
    with temporary_folder() as folder:
        own = RabbitMQServer(folder / "rabbitmq")
        try:
            own.start()
            yield own
        finally:
            own.kill()


def test_roles_outlive_a_silent_broker(
    rabbitmq: RabbitMQServer, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """They give a connection up after a while, try again, and take up their work once the broker speaks."""
    given = settings(database_url=database_url, amqp_url=rabbitmq.url, redis_url=redis_url)
    roles = Roles(tmp_path, given)
    try:
        roles.start()
        for queue in QUEUES:
            rabbitmq.await_on_disk(queue)
        rabbitmq.kill()
        with socket.create_server((HOST, rabbitmq.port)):
            # Longer than the longest wait for a connection: by then each has met the silence, and gone on.
            wait_until(lambda: not all(roles[name].running for name in Roles.USUAL), SOCKET_SECONDS + 8)
        rabbitmq.start()
        assert [name for name in Roles.USUAL if not roles[name].running] == []

        file = tmp_path / "fault.json"
        file.write_bytes(encoded(fault("stalled", 1, "STALLED*1")))
        await_that("the fault is confirmed", lambda: command(given, "send", file).code == 0)
        await_that("its claim is under review", lambda: statuses(database_url) == [("under_review",)])
    finally:
        roles.kill()


def statuses(database_url: str) -> list[tuple[str]]:
    return Database(database_url).rows("SELECT status FROM claims")
