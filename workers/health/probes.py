"""Do the servers answer, and does intake work? Asked at start, by probes, and by the doctor."""

import socket
from errno import EACCES, EADDRINUSE

import pika
from redis import RedisError
from sqlalchemy.engine import make_url

from adapters.postgres.migrations import is_current
from domain.errors import SetupError, TransientError
from ingest.rabbitmq import topology
from workers.app import App


def demand_servers(app: App) -> None:
    """Checks that every server answers and that the schema is current.

    Raises `SetupError`: one line that names the setting and the mend.
    """
    try:
        current = is_current(app.engine)
    except TransientError as error:
        raise database_away(app.database_url, error) from None
    if not current:
        raise SetupError("The database has not the present schema; run `spotclaim migrate` once.")
    if app.amqp is not None and (problem := _broker_problem(app.amqp)):
        raise SetupError(f"SPOTCLAIM_AMQP_URL: {problem} Start it, or correct the address.")


def database_away(url: str, error: TransientError) -> SetupError:
    """The set-up error of a database that does not answer. Its address is named without the password."""
    address = make_url(url).set(password=None).render_as_string()
    return SetupError(
        f"SPOTCLAIM_DATABASE_URL: cannot reach PostgreSQL at {address}; start it, or correct the address. {error}"
    )


def _broker_problem(parameters: pika.URLParameters) -> str | None:
    try:
        topology.connect(parameters).close()
    except TransientError as error:
        return f"cannot reach {error}."
    return None


def demand_port(host: str, port: int, setting: str = "SPOTCLAIM_PORT") -> None:
    """Raises `SetupError`, naming the setting, when the address cannot be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            wrong = setting if error.errno in (EADDRINUSE, EACCES) else "SPOTCLAIM_HOST"
            raise SetupError(f"{wrong}: cannot listen on {host}:{port} ({reason}); choose another.") from None


def problems(app: App) -> list[str]:
    """Why intake does not work at present; empty when it does."""
    found = []
    try:
        if not is_current(app.engine):
            found.append("The database has not the present schema.")
    except TransientError as error:
        found.append(str(error))
    if app.amqp is not None and (problem := _broker_problem(app.amqp)):
        found.append(problem)
    return found


def feed_problem(app: App) -> str | None:
    """Why the live feed does not work; None when it does."""
    try:
        app.feed.ping()
    except RedisError as error:
        return str(error)
    return None
