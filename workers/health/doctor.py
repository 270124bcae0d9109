"""Looks an installation over: what works, what does not, and what has been stuck for long."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import pika
import pika.exceptions
from dramatiq.common import xq_name

from adapters.postgres.field.reconciliation import Holdings
from domain.errors import SpotclaimError
from ingest.rabbitmq import topology
from workers.app import App
from workers.health import probes as health
from workers.runtime.actors import INTAKE_QUEUE

_LATE_SECONDS = 300
_PLACES_NAMED = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, whether it is well, and what was seen."""

    what: str
    well: bool
    detail: str


def examine(app: App) -> list[Finding]:
    """Everything there is to look at, in the order a message travels. Raises nothing."""
    looks: tuple[tuple[str, Callable[[App], tuple[bool, str]]], ...] = (
        ("database", _database),
        ("broker", _broker),
        ("dead letters", _dead_letters),
        ("live feed", _feed),
        ("policy", _policy),
        ("destinations", _destinations),
        ("steps", _steps),
        ("detection", _detection),
        ("audit", _audit),
        ("evidence", _evidence),
    )
    return [_look(what, look, app) for what, look in looks]


def _look(what: str, look: Callable[[App], tuple[bool, str]], app: App) -> Finding:
    try:
        return Finding(what, *look(app))
    except (SpotclaimError, pika.exceptions.AMQPError) as error:
        return Finding(what, False, str(error) or type(error).__name__)


def _database(app: App) -> tuple[bool, str]:
    with app.engine.connect() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
    kind = "PostgreSQL" if app.settings.database_url else "embedded PostgreSQL"
    return True, f"{kind} {version}, schema is current"


def _broker(app: App) -> tuple[bool, str]:
    if app.amqp is None:
        return True, "none: work is carried within the process"
    channel = topology.open_channel(app.amqp)
    depths = {
        queue: channel.queue_declare(queue, passive=True).method.message_count
        for queue in (*topology.QUEUES.values(), topology.OCPP_QUEUE)
    }
    channel.connection.close()
    return True, ", ".join(f"{queue} holds {depth}" for queue, depth in depths.items())


def _dead_letters(app: App) -> tuple[bool, str]:
    if app.amqp is None:
        return True, "none"
    channel = topology.open_channel(app.amqp)
    try:
        count = channel.queue_declare(xq_name(INTAKE_QUEUE), passive=True).method.message_count
    except pika.exceptions.ChannelClosedByBroker:
        count = 0
    return count == 0, f"{count} batches in {xq_name(INTAKE_QUEUE)}" if count else "none"


def _feed(app: App) -> tuple[bool, str]:
    problem = health.feed_problem(app)
    return problem is None, problem or ("Redis answers" if app.settings.redis_url else "in memory")


def _policy(app: App) -> tuple[bool, str]:
    return True, f"version {app.policy.version}"


def _destinations(app: App) -> tuple[bool, str]:
    if problems := app.notifier.problems():
        return False, " ".join(problems)
    named = (f"{name} by {schema}" for name, schema in app.notifier.destinations.items())
    return bool(app.notifier.destinations), ", ".join(named) or "nobody is told of anything"


def _steps(app: App) -> tuple[bool, str]:
    figures = app.reports.figures()
    oldest = figures["steps_oldest_seconds"][0][1]
    waiting = sum(int(count) for _, count in figures["steps_pending"])
    return oldest < _LATE_SECONDS, f"{waiting} due, the oldest for {oldest:.0f} seconds"


def _detection(app: App) -> tuple[bool, str]:
    """Hours without any data, from anywhere or from a place, are told and are no fault: nothing was learnt from
    them."""
    learnt = app.baselines.last()
    if learnt is None:
        return True, "nothing is learnt yet; a share of each place's spots is an incident"
    told = f"learnt {learnt.at:%Y-%m-%d} from the time since {learnt.since:%Y-%m-%d}"
    missing = [f"{_count(learnt.unknown_hours)} had no data and taught nothing"] if learnt.unknown_hours else []
    for (kind, place), hours in islice(learnt.silent.items(), _PLACES_NAMED):
        missing.append(f"{kind} {place} was silent while others went on, and {_count(hours)} taught nothing")
    if (left := len(learnt.silent) - _PLACES_NAMED) > 0:
        missing.append("so was 1 more place" if left == 1 else f"so were {left} more places")
    return True, "; ".join([told, *(missing or ["every hour had data"])])


def _count(hours: Sequence[datetime]) -> str:
    many = "1 hour" if len(hours) == 1 else f"{len(hours)} hours"
    return f"{many} (the last {hours[-1].astimezone(UTC):%Y-%m-%d %H:%M} UTC)"


def _audit(app: App) -> tuple[bool, str]:
    wrong = Holdings(app.engine).claims_off_their_events()
    return (
        wrong == 0,
        f"{wrong} claims are not at their last event" if wrong else "every claim is at its last event",
    )


def _evidence(app: App) -> tuple[bool, str]:
    wrong = Holdings(app.engine).claims_off_their_evidence()
    place = app.settings.evidence_store or "the database"
    return (
        wrong == 0,
        f"{wrong} claims have not the evidence on their record" if wrong else f"as recorded; files in {place}",
    )
