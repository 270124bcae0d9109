"""Parts over real servers. Each pytest worker has one database, emptied for each test: that is five times as fast
as a database for each, and nothing here changes the schema."""

from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import uuid4

import psycopg2
import pytest
import structlog
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from adapters.postgres.engine import connect
from adapters.postgres.schema import metadata
from tests.integration.door import anybody, api, system
from tests.integration.parts import Spotclaim

__all__ = ["anybody", "api", "system"]

# A superuser may go round the triggers that keep audit events, which is what tests need and nobody else.
EMPTY = "; ".join(["SET session_replication_role = replica", *(f"DELETE FROM {name}" for name in metadata.tables)])


def pytest_configure() -> None:
    # As it comes, structlog shows every local variable of a trace, which takes seconds.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[plain])


@pytest.fixture(autouse=True)
def one_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of this process is that of all tests in it: a command that runs inside leaves it as it is."""
    monkeypatch.setattr("workers.runtime.log_setup.configure", lambda _: None)


@pytest.fixture(scope="session")
def worker_database_url(postgres_server_url: str, migrated_template: str) -> Iterator[str]:
    """A migrated database of this pytest worker's own."""
    name = f"worker_{uuid4().hex}"
    _execute(postgres_server_url, f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    yield make_url(postgres_server_url).set(database=name).render_as_string(hide_password=False)
    _execute(postgres_server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def module_database_url(worker_database_url: str) -> str:
    """The same without a row of earlier modules, for a system that would at once do what these left pending."""
    _execute(worker_database_url, EMPTY)
    return worker_database_url


@pytest.fixture
def emptied_database_url(worker_database_url: str) -> str:
    """The same database without a row in it."""
    _execute(worker_database_url, EMPTY)
    return worker_database_url


def _execute(url: str, statements: str) -> None:
    with closing(psycopg2.connect(url.replace("+psycopg2", "", 1))) as connection:
        connection.autocommit = True
        connection.cursor().execute(statements)


@pytest.fixture
def engine(emptied_database_url: str) -> Iterator[Engine]:
    made = connect(emptied_database_url, pool_size=16)
    yield made
    made.dispose()


@pytest.fixture
def spotclaim(engine: Engine) -> Spotclaim:
    """Intake and steps with the built-in policy and a clock that stands still."""
    return Spotclaim(engine)


@pytest.fixture
def set_up(engine: Engine) -> Callable[..., Spotclaim]:
    """The same with another policy, clock, store or handler."""
    return lambda **changes: Spotclaim(engine, **changes)
