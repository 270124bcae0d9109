"""A back-end publishes what its stations say, and `ingest` dies by kill -9 with frames in its hands."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import pika
import pika.exceptions
import pytest

from ingest.rabbitmq import topology
from tests.acceptance.installation import Database, Roles, await_that, settings
from tests.servers.publishing import confirming, offer
from tests.servers.waiting import PATIENCE_SECONDS

BEGAN = datetime(2025, 10, 1, 8, 0, tzinfo=UTC)
STATIONS = 21  # so that the ends of batches fall between what belongs together
ROUNDS = 30
RUBBISH = b"\xff not a frame"


@pytest.fixture
def backend_url(amqp_url: str, rabbitmq_api_url: str) -> Iterator[str]:
    """The broker as a back-end knows it: its user may publish frames, and nothing else."""
    user, password = f"backend-{uuid4().hex}", "secret"
    server = urlsplit(amqp_url)
    virtual_host = server.path.removeprefix("/")
    with httpx.Client(base_url=rabbitmq_api_url, trust_env=False, timeout=PATIENCE_SECONDS) as api:

        def put(path: str, **body: str) -> None:
            api.put(path, json=body).raise_for_status()

        put(f"/users/{user}", password=password, tags="")
        put(f"/permissions/{virtual_host}/{user}", configure="^$", write=r"^spotclaim\.in$", read="^$")
        topics = {"exchange": topology.EXCHANGE, "write": r"^ocpp\.", "read": "^$"}
        put(f"/topic-permissions/{virtual_host}/{user}", **topics)
        yield urlunsplit(server._replace(netloc=f"{user}:{password}@{server.hostname}:{server.port}"))
        api.delete(f"/users/{user}").raise_for_status()


@pytest.fixture
def roles(database_url: str, amqp_url: str, redis_url: str, tmp_path: Path) -> Iterator[Roles]:
    given = settings(database_url=database_url, amqp_url=amqp_url, redis_url=redis_url, require_user_id=True)
    roles = Roles(tmp_path, given)
    yield roles
    roles.kill()


def frames() -> Iterator[bytes]:
    """What stations say in turn: each round a lock that fails and comes back, and a session of 2.5 kWh."""
    second = 0
    for turn in range(ROUNDS):
        turns = [said(turn, station) for station in range(STATIONS)]
        for messages in zip(*turns, strict=True):
            for station, message in enumerate(messages):
                second += 1
                when = (BEGAN + timedelta(seconds=second)).isoformat()
                yield json.dumps(
                    {"timestamp": when, "chargePointId": f"CH-{station}", "message": message}
                ).encode()


def said(turn: int, station: int) -> list[list[Any]]:
    transaction, meter = turn * STATIONS + station, 2500 * turn
    fault = {"connectorId": 1, "status": "Faulted", "errorCode": "ConnectorLockFailure"}
    return [
        [2, f"{turn}-fault", "StatusNotification", fault],
        [2, f"{turn}-clear", "StatusNotification", fault | {"status": "Available", "errorCode": "NoError"}],
        [2, f"{turn}-start", "StartTransaction", {"connectorId": 1, "idTag": "TAG", "meterStart": meter}],
        [3, f"{turn}-start", {"transactionId": transaction, "idTagInfo": {"status": "Accepted"}}],
        [2, f"{turn}-stop", "StopTransaction", {"transactionId": transaction, "meterStop": meter + 2500}],
    ]


def publish(url: str, bodies: Iterator[bytes], key: str = "ocpp.log") -> None:
    """In this order, each confirmed."""
    parameters = pika.URLParameters(url)
    properties = pika.BasicProperties(delivery_mode=2, user_id=parameters.credentials.username)
    with confirming(parameters) as channel:
        for body in bodies:
            offer(channel, topology.EXCHANGE, key, body, properties)


def waiting(url: str) -> int:
    """How many frames nobody has acknowledged are left for the next consumer."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        return int(connection.channel().queue_declare(topology.OCPP_QUEUE, passive=True).method.message_count)


def test_ingest_is_killed_with_frames_in_its_hands(
    roles: Roles, backend_url: str, amqp_url: str, database_url: str
) -> None:
    """Every fault, clear and session of the log is there once, and each station's faults are one claim."""
    # Given a log that waits in the queue
    topology.open_channel(pika.URLParameters(amqp_url)).connection.close()
    publish(backend_url, frames())
    publish(backend_url, iter([RUBBISH]))
    # When ingest dies after some of it was made durable, and is started again
    database = Database(database_url)
    roles["worker"].launch()
    roles.restart("ingest")
    await_that("frames were read", lambda: database.number("SELECT count(*) FROM ocpp_stations") > 0)
    roles["ingest"].kill()
    await_that("the broker has its frames back", lambda: waiting(amqp_url) > 0)
    roles.restart("ingest")
    # Then nothing is lost, and nothing is doubled
    await_that("the log is read to its end", lambda: database.number("SELECT count(*) FROM quarantine") > 0)
    turns = STATIONS * ROUNDS
    faults = "SELECT count(*), count(*) FILTER (WHERE cleared) FROM faults"
    await_that("everything is taken in", lambda: database.rows(faults) == [(2 * turns, turns)])
    usage = "SELECT count(*), count(DISTINCT session_id), sum(energy_kwh) FROM usage_records"
    await_that("every session is there", lambda: database.rows(usage) == [(turns, turns, 2.5 * turns)])
    assert [bytes(body) for (body,) in database.rows("SELECT body FROM quarantine")] == [RUBBISH]
    user = urlsplit(backend_url).username
    claims = database.rows("SELECT spot_id, code, fault_count, filed_by FROM claims")
    assert sorted(claims) == sorted(
        (f"CH-{station}", "CONNECTOR_LOCK_FAILURE", ROUNDS, user) for station in range(STATIONS)
    )


def test_a_back_end_may_publish_nothing_but_frames(backend_url: str, amqp_url: str) -> None:
    """Its user is refused a fault of its own making, which the broker says."""
    topology.open_channel(pika.URLParameters(amqp_url)).connection.close()
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        publish(backend_url, iter([b"{}"]), key="fault.raised")
