"""Connections that the server has ended: nobody meets one that lay idle, and one in use fails once."""

from collections.abc import Iterator

import psycopg2
import pytest
from sqlalchemy import Engine, text

from adapters.postgres import engine as connections
from adapters.postgres.store import PostgresStore
from domain.errors import TransientError


@pytest.fixture
def engine(worker_database_url: str) -> Iterator[Engine]:
    made = connections.connect(worker_database_url, pool_size=1)
    yield made
    made.dispose()


def end_from_outside(engine: Engine, url: str) -> None:
    with engine.connect() as connection:
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other = psycopg2.connect(url.replace("+psycopg2", "", 1))
    other.autocommit = True
    other.cursor().execute("SELECT pg_terminate_backend(%s, 10000)", (process,))
    other.close()


def test_a_connection_that_died_while_idle_is_replaced(
    engine: Engine, worker_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_PING_AFTER_SECONDS", 0)
    end_from_outside(engine, worker_database_url)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_connection_that_died_in_use_fails_once_as_transient(
    engine: Engine, worker_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_PING_AFTER_SECONDS", 3600)
    store = PostgresStore(engine)
    end_from_outside(engine, worker_database_url)

    with pytest.raises(TransientError), store.transaction() as transaction:
        transaction.open_claims([("spot", "OTHER")])

    with store.transaction() as transaction:
        assert transaction.open_claims([("spot", "OTHER")]) == {}
