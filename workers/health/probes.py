"""Checks whether the servers answer and intake works.

Asked at start, by probes, and by the doctor.
"""

import pika

from domain.errors import SetupError, TransientError
from ingest.rabbitmq import topology
from workers.bootstrap import schema
from workers.bootstrap.app import App


def demand_broker(app: App) -> None:
    """Raises `SetupError` when RabbitMQ is to be used and does not answer."""
    if app.work.amqp is not None and (problem := _broker_problem(app.work.amqp)):
        raise SetupError(f"SPOTCLAIM_AMQP_URL: {problem} Start it, or correct the address.")


def _broker_problem(parameters: pika.URLParameters) -> str | None:
    try:
        topology.connect(parameters).close()
    except TransientError as error:
        return f"cannot reach {error}."
    return None


def problems(app: App) -> list[str]:
    """Lists why intake does not work at present; empty when it does."""
    found = []
    try:
        if not schema.is_current(app.foundation):
            found.append("The database has not the present schema.")
    except TransientError as error:
        found.append(str(error))
    if app.work.amqp is not None and (problem := _broker_problem(app.work.amqp)):
        found.append(problem)
    return found
