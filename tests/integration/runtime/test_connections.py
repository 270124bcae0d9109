"""Connections that the server has closed: one in the pool is replaced, one in use fails as transient."""

from collections.abc import Iterator
from contextlib import closing

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
    end(process, url)


def end(process: int, url: str) -> None:
    """Ends a server process, and waits until it is gone."""
    with closing(psycopg2.connect(url.replace("+psycopg2", "", 1))) as other:
        other.autocommit = True
        other.cursor().execute("SELECT pg_terminate_backend(%s, 10000)", (process,))


@pytest.mark.parametrize("ping_after", [0, 3600], ids=["idle", "in use until just now"])
def test_a_connection_that_the_server_closed_is_replaced(
    engine: Engine, worker_database_url: str, monkeypatch: pytest.MonkeyPatch, ping_after: float
) -> None:
    monkeypatch.setattr(connections, "_PING_AFTER_SECONDS", ping_after)
    store = PostgresStore(engine)
    end_from_outside(engine, worker_database_url)

    with store.transaction() as transaction:
        assert transaction.open_claims([("spot", "OTHER")]) == {}


def test_a_connection_that_dies_in_use_fails_as_transient_and_is_replaced(
    engine: Engine, worker_database_url: str
) -> None:
    store = PostgresStore(engine)

    with pytest.raises(TransientError), store.transaction() as transaction:
        [(process,)] = transaction._execute("SELECT pg_backend_pid()").fetchall()
        end(process, worker_database_url)
        transaction.open_claims([("spot", "OTHER")])

    with store.transaction() as transaction:
        assert transaction.open_claims([("spot", "OTHER")]) == {}
