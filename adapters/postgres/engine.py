"""Connects to PostgreSQL with every wait bounded, and translates its errors."""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg2
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from domain.errors import Conflict, SetupError, TransientError

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
LOCK_SECONDS = 10
# A connection that was in use until just now, and that the server has not closed since, is taken as it is: under
# load a ping costs a twentieth of a worker. If it is dead all the same, its transaction fails as transient.
_PING_AFTER_SECONDS = 0.5

# SQLSTATE classes and codes after which the same transaction may succeed: connection lost, resources short,
# operator intervention, serialization, deadlock, lock not available, and two writers that met on one key.
_TRANSIENT_CLASSES = ("08", "53", "57")
# Raised by a trigger of ours (migration 0004): a claim's evidence is not what its record says.
_EVIDENCE_ALTERED = "SC001"
_TRANSIENT_CODES = ("40001", "40P01", "55P03", "23505")


def connect(url: str, *, pool_size: int = 8) -> Engine:
    """Builds an engine for a `postgresql+psycopg2://` URL (plain `postgresql://` is taken for the same).

    Nothing is connected yet. Raises `SetupError` for a URL that cannot be one.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SetupError(
            "SPOTCLAIM_DATABASE_URL is not a database URL; write postgresql+psycopg2://user:password@host/name."
        ) from None
    if parsed.drivername not in ("postgresql", "postgresql+psycopg2"):
        raise SetupError(
            f"SPOTCLAIM_DATABASE_URL names {parsed.drivername}; Spotclaim needs postgresql+psycopg2://."
        )
    settings = {
        "statement_timeout": STATEMENT_SECONDS * 1000,
        "lock_timeout": LOCK_SECONDS * 1000,
        "idle_in_transaction_session_timeout": 2 * STATEMENT_SECONDS * 1000,
        "jit": "off",
        # Batches of a few hundred rows find theirs by index; the default, made for disks that turn, scans instead.
        "random_page_cost": "1.1",
        "TimeZone": "UTC",
    }
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg2"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=LOCK_SECONDS,
        json_deserializer=orjson.loads,
        # An error must not carry five hundred messages into the log.
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "spotclaim",
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": STATEMENT_SECONDS * 1000,
        },
    )
    _ping_idle_connections(engine)
    return engine


def _ping_idle_connections(engine: Engine) -> None:
    """Replaces connections that died while they lay idle, before anybody uses them."""

    @event.listens_for(engine, "checkin")
    def remember(_connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        idle = time.monotonic() - record.info.get("used_at", time.monotonic())
        if (idle > _PING_AFTER_SECONDS or _spoken_to(connection)) and not _answers(engine, connection):
            raise DisconnectionError("The connection died while it was idle.")


def _spoken_to(connection: Any) -> bool:
    """Checks whether the server has sent something unasked, such as its end."""
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def _answers(engine: Engine, connection: Any) -> bool:
    try:
        return engine.dialect.do_ping(connection)
    except psycopg2.Error:
        return False


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translates what may pass by itself to `TransientError`; anything else is a bug and goes through.

    A decision that rests on altered evidence is a `Conflict`.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise TransientError("No database connection became free in time.") from error
    except (DBAPIError, psycopg2.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        state, lines = getattr(original, "pgcode", None), str(original).strip().splitlines()
        if state == _EVIDENCE_ALTERED:
            raise Conflict(lines[0]) from error
        if getattr(error, "connection_invalidated", False) or state is None or is_transient(state):
            raise TransientError(f"PostgreSQL: {lines[0] if lines else 'the connection was lost'}") from error
        raise


def is_transient(sqlstate: str) -> bool:
    """Tells whether the same transaction may succeed later."""
    return sqlstate[:2] in _TRANSIENT_CLASSES or sqlstate in _TRANSIENT_CODES
