"""What every suite may ask for: real servers, and on them a private corner for each test.

The servers are shared by all tests of a run; `python -m tests.servers run` starts them and names their URLs.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import psycopg2
import psycopg2.extensions
import pytest
import redis
from psycopg2.sql import SQL, Identifier

from tests.servers.waiting import PATIENCE_SECONDS

TEMPLATE_LOCK = 7_768_432_524  # any number that nothing else locks
HOW_TO_START = "run `make test`, or `python -m tests.servers run -- pytest ...`"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuses tests that share an id: in parallel only one of them would be run, and nobody would notice."""
    repeated = [item for item, times in Counter(item.nodeid for item in items).items() if times > 1]
    if repeated:
        raise pytest.UsageError(f"more than one test is called {', '.join(repeated)}")


@pytest.fixture(scope="session")
def postgres_server_url() -> str:
    """The shared PostgreSQL, as superuser, on its maintenance database."""
    return _server("SPOTCLAIM_TEST_DATABASE_URL")


@pytest.fixture(scope="session")
def rabbitmq_server_url() -> str:
    """The shared RabbitMQ, on its default virtual host."""
    return _server("SPOTCLAIM_TEST_AMQP_URL")


@pytest.fixture(scope="session")
def rabbitmq_api_url() -> str:
    """The management API of the shared RabbitMQ."""
    return _server("SPOTCLAIM_TEST_RABBITMQ_API")


@pytest.fixture(scope="session")
def redis_server_url() -> str:
    """The shared Redis, on its first database."""
    return _server("SPOTCLAIM_TEST_REDIS_URL")


@pytest.fixture
def amqp_url(rabbitmq_server_url: str, rabbitmq_api_url: str) -> Iterator[str]:
    """A virtual host of this test's own, removed with all its queues and connections."""
    virtual_host = f"test-{uuid4().hex}"
    with httpx.Client(base_url=rabbitmq_api_url, trust_env=False, timeout=PATIENCE_SECONDS) as api:
        api.put(f"/vhosts/{virtual_host}").raise_for_status()
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        api.put(f"/permissions/{virtual_host}/guest", json=everything).raise_for_status()
        yield _with_path(rabbitmq_server_url, virtual_host)
        api.delete(f"/vhosts/{virtual_host}").raise_for_status()


@pytest.fixture
def redis_url(redis_server_url: str, worker_id: str) -> str:
    """A Redis database that only this pytest worker uses, empty."""
    number = 0 if worker_id == "master" else 1 + int(worker_id.removeprefix("gw"))
    url = _with_path(redis_server_url, str(number))
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def database_url(postgres_server_url: str, migrated_template: str) -> Iterator[str]:
    """A migrated database of this test's own."""
    with _own_database(postgres_server_url, template=migrated_template) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_server_url: str) -> Iterator[str]:
    """A database of this test's own that no migration has touched."""
    with _own_database(postgres_server_url, template="template1") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(postgres_server_url: str, testrun_uid: str) -> str:
    """The name of a migrated database to clone, made by whichever worker of this run asks first."""
    template = f"template_{testrun_uid[:16]}"
    with _maintenance(postgres_server_url) as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])  # until the connection closes
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template])
        if cursor.fetchone() is None:
            _make_template(cursor, postgres_server_url, template)
    return template


def _make_template(cursor: psycopg2.extensions.cursor, server_url: str, template: str) -> None:
    """Migrate under another name, so that a failed migration is not mistaken for a template."""
    from adapters.postgres.migrations import migrate

    unfinished = f"{template}_unfinished"
    cursor.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(unfinished)))
    cursor.execute(SQL("CREATE DATABASE {}").format(Identifier(unfinished)))
    migrate(_with_path(server_url, unfinished))
    cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [unfinished])
    cursor.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(unfinished)))
    cursor.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(unfinished), Identifier(template)))


@contextmanager
def _own_database(server_url: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with _maintenance(server_url) as cursor:
        cursor.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
    yield _with_path(server_url, name)
    with _maintenance(server_url) as cursor:
        cursor.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


@contextmanager
def _maintenance(server_url: str) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(server_url.replace("+psycopg2", "", 1))
    connection.autocommit = True  # databases are not made in transactions
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _server(variable: str) -> str:
    url = os.environ.get(variable)
    if not url:
        pytest.fail(f"{variable} is not set: {HOW_TO_START}", pytrace=False)
    return url


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))
