"""The servers that other tests rely on: each can be killed and started again where it was."""

from collections.abc import Iterator
from contextlib import closing

import pika
import psycopg2
import pytest
import redis

from tests.servers import (
    MissingProgram,
    PostgresServer,
    RabbitMQServer,
    RedisServer,
    ServerFailed,
    Servers,
    servers,
    temporary_folder,
)
from tests.servers.publishing import confirming, offer
from tests.servers.server import program


@pytest.fixture(scope="module")
def own() -> Iterator[Servers]:
    """Servers that may be killed, unlike the shared ones."""
    with servers() as running:
        yield running


def test_postgres_keeps_what_was_committed_over_repeated_kills(own: Servers) -> None:
    """Each kill leaves an open connection and a stale process id file behind."""
    _execute(own.postgres, "CREATE TABLE kept (number int)")
    url = own.postgres.url

    for number in range(3):
        with closing(psycopg2.connect(_dsn(own.postgres))):
            _execute(own.postgres, f"INSERT INTO kept VALUES ({number})")
            own.postgres.kill()
        own.postgres.start()

    assert _execute(own.postgres, "SELECT number FROM kept ORDER BY 1") == [(0,), (1,), (2,)]
    assert own.postgres.url == url


def test_postgres_is_as_durable_as_in_production(own: Servers) -> None:
    """Benchmarks against it must not flatter."""
    settings = "fsync, synchronous_commit, full_page_writes"
    assert [_execute(own.postgres, f"SHOW {name}") for name in settings.split(", ")] == [[("on",)]] * 3


def test_rabbitmq_keeps_a_durable_queue_over_a_kill(own: Servers) -> None:
    """A confirmed, persistent message waits in a quorum queue while the node is killed."""
    _publish(own.rabbitmq, "kept", b"still here")
    own.rabbitmq.await_on_disk("kept")
    url = own.rabbitmq.url

    own.rabbitmq.kill()
    own.rabbitmq.start()

    assert _take(own.rabbitmq, "kept") == b"still here"
    assert own.rabbitmq.url == url


def test_redis_comes_back_empty(own: Servers) -> None:
    """Redis holds no truth, so its tests start from nothing."""
    with redis.Redis.from_url(own.redis.url) as client:
        client.set("lost", 1)
    url = own.redis.url

    own.redis.kill()
    own.redis.start()

    with redis.Redis.from_url(own.redis.url) as client:
        assert client.get("lost") is None
    assert own.redis.url == url


def test_a_stopped_server_starts_again(own: Servers) -> None:
    """Stopping in good order is idempotent."""
    own.redis.stop()
    own.redis.stop()
    assert not own.redis.running

    own.redis.start()

    assert own.redis.answers()


def test_a_server_that_ends_at_once_shows_its_log() -> None:
    """The data folder of a server is damaged."""
    with temporary_folder() as folder:
        damaged = PostgresServer(folder / "postgres")
        with damaged:
            pass
        (damaged.data / "PG_VERSION").unlink()

        with pytest.raises(ServerFailed, match="not a valid data directory"):
            damaged.start()

        assert not damaged.running


def test_a_stranger_on_the_port_is_not_taken_for_the_server(own: Servers) -> None:
    """Two servers want one port."""
    with temporary_folder() as folder:
        rival = RedisServer(folder / "redis")
        rival.port = own.redis.port

        with pytest.raises(ServerFailed, match="is in use"):
            rival.start()


def test_a_missing_program_is_named_with_its_package() -> None:
    """The reader learns what to install."""
    with pytest.raises(MissingProgram, match="apt-get install some-package"):
        program("no-such-program", "some-package")


def _dsn(server: PostgresServer) -> str:
    return server.url.replace("+psycopg2", "")


def _execute(server: PostgresServer, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(_dsn(server))) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def _publish(server: RabbitMQServer, queue: str, body: bytes) -> None:
    with confirming(pika.URLParameters(server.url)) as channel:
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        offer(channel, "", queue, body)


def _take(server: RabbitMQServer, queue: str) -> bytes | None:
    with pika.BlockingConnection(pika.URLParameters(server.url)) as connection:
        body: bytes | None = connection.channel().basic_get(queue, auto_ack=True)[2]
        return body
