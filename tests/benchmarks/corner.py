"""A corner of the servers for one measurement: a migrated database, a virtual host, an empty Redis database."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import pika
import psycopg2
import psycopg2.extensions
import redis

from adapters.postgres.migrations import migrate
from adapters.rabbitmq import connection as rabbitmq

_REDIS_DATABASE = "1"
HOW_TO_START = "run `make bench`, or `python -m tests.servers run -- python -m tests.benchmarks`"


class NoServers(Exception):
    """The environment does not name the servers."""


@dataclass(frozen=True)
class Corner:
    """Where one measurement happens."""

    database_url: str
    amqp_url: str
    redis_url: str
    folder: Path

    @property
    def amqp(self) -> pika.URLParameters:
        return rabbitmq.parameters(self.amqp_url)

    @property
    def environment(self) -> dict[str, str]:
        """For role processes: our own environment, with every setting pointing here."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SPOTCLAIM_")}
        return inherited | {
            "SPOTCLAIM_DATABASE_URL": self.database_url,
            "SPOTCLAIM_AMQP_URL": self.amqp_url,
            "SPOTCLAIM_REDIS_URL": self.redis_url,
            "SPOTCLAIM_DATA": str(self.folder),
            "PYTHONUNBUFFERED": "1",
        }

    def connect(self) -> psycopg2.extensions.connection:
        """A connection of our own, each statement its own transaction."""
        return connect(self.database_url)

    def settle(self, *, analyze: bool = False) -> None:
        """Writes out what earlier work left behind, so that no clock counts it. With `analyze`, also does what
        autovacuum would have done by then."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            if analyze:
                cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")


def connect(url: str) -> psycopg2.extensions.connection:
    """An autocommit connection that never plans in parallel, so that looking takes one core at most."""
    connection = psycopg2.connect(
        url.replace("+psycopg2", "", 1),
        application_name="benchmark",
        options="-c max_parallel_workers_per_gather=0 -c statement_timeout=60000",
    )
    connection.autocommit = True
    return connection


@contextmanager
def fresh_corner() -> Iterator[Corner]:
    """A corner that nobody used before; removed at the end."""
    database_server = _server("SPOTCLAIM_TEST_DATABASE_URL")
    redis_url = _with_path(_server("SPOTCLAIM_TEST_REDIS_URL"), _REDIS_DATABASE)
    name = f"bench_{uuid4().hex}"
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    with (
        tempfile.TemporaryDirectory(prefix="spotclaim-bench-") as folder,
        _database(database_server, name) as database_url,
        _virtual_host(name) as amqp_url,
    ):
        yield Corner(database_url, amqp_url, redis_url, Path(folder))


@contextmanager
def _database(server_url: str, name: str) -> Iterator[str]:
    server = connect(server_url)
    try:
        with server.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            try:
                url = _with_path(server_url, name)
                migrate(url)
                yield url
            finally:
                cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        server.close()


@contextmanager
def _virtual_host(name: str) -> Iterator[str]:
    with httpx.Client(base_url=_server("SPOTCLAIM_TEST_RABBITMQ_API"), trust_env=False, timeout=60) as api:
        api.put(f"/vhosts/{name}").raise_for_status()
        try:
            everything = {"configure": ".*", "write": ".*", "read": ".*"}
            api.put(f"/permissions/{name}/guest", json=everything).raise_for_status()
            yield _with_path(_server("SPOTCLAIM_TEST_AMQP_URL"), name)
        finally:
            api.delete(f"/vhosts/{name}").raise_for_status()


def _server(variable: str) -> str:
    url = os.environ.get(variable)
    if not url:
        raise NoServers(f"{variable} is not set: {HOW_TO_START}")
    return url


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))
