"""Examines an installation: what works, what does not, what is stuck."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import pika
import pika.exceptions
from dramatiq.common import xq_name
from redis import RedisError

from domain.errors import SpotclaimError
from domain.text import count
from ingest.rabbitmq import topology
from workers.bootstrap.app import App
from workers.runtime.actors import INTAKE_QUEUE

_LATE_SECONDS = 300
_PLACES_NAMED = 3


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check, and what was seen."""

    what: str
    well: bool
    detail: str


def examine(app: App) -> list[CheckResult]:
    """Runs all checks, in the order a message travels. Raises nothing."""
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
        ("signing key", _signing_key),
        ("evidence", _evidence),
    )
    return [_look(what, look, app) for what, look in looks]


def _look(what: str, look: Callable[[App], tuple[bool, str]], app: App) -> CheckResult:
    try:
        return CheckResult(what, *look(app))
    except (SpotclaimError, pika.exceptions.AMQPError) as error:
        return CheckResult(what, False, str(error) or type(error).__name__)


def _database(app: App) -> tuple[bool, str]:
    with app.foundation.engine.connect() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
    kind = "PostgreSQL" if app.settings.database_url else "embedded PostgreSQL"
    return True, f"{kind} {version}, schema is current"


def _broker(app: App) -> tuple[bool, str]:
    if app.work.amqp is None:
        return True, "none: work is carried within the process"
    channel = topology.open_channel(app.work.amqp)
    depths = {
        queue: channel.queue_declare(queue, passive=True).method.message_count
        for queue in (*topology.QUEUES.values(), topology.OCPP_QUEUE)
    }
    channel.connection.close()
    return True, ", ".join(f"{queue} holds {depth}" for queue, depth in depths.items())


def _dead_letters(app: App) -> tuple[bool, str]:
    if app.work.amqp is None:
        return True, "none"
    channel = topology.open_channel(app.work.amqp)
    try:
        dead = channel.queue_declare(xq_name(INTAKE_QUEUE), passive=True).method.message_count
    except pika.exceptions.ChannelClosedByBroker:
        dead = 0
    return dead == 0, f"{count(dead, 'batch', 'batches')} in {xq_name(INTAKE_QUEUE)}" if dead else "none"


def _feed(app: App) -> tuple[bool, str]:
    try:
        app.live.feed.ping()
    except RedisError as error:
        return False, str(error)
    return True, "Redis answers" if app.settings.redis_url else "in memory"


def _policy(app: App) -> tuple[bool, str]:
    return True, f"version {app.foundation.policy.version}"


def _destinations(app: App) -> tuple[bool, str]:
    if problems := app.notifications.notifier.problems():
        return False, " ".join(problems)
    notifier = app.notifications.notifier
    named = (f"{name} by {schema}" for name, schema in notifier.destinations.items())
    return bool(notifier.destinations), ", ".join(named) or "nobody is notified of anything"


def _steps(app: App) -> tuple[bool, str]:
    figures = app.queries.reports.figures()
    oldest = figures["steps_oldest_seconds"][0][1]
    waiting = sum(int(pending) for _, pending in figures["steps_pending"])
    return oldest < _LATE_SECONDS, f"{waiting:,} due, the oldest for {count(round(oldest), 'second')}"


def _detection(app: App) -> tuple[bool, str]:
    """Reports the baseline and its data gaps; gaps are no fault, since nothing was learnt from them."""
    learnt = app.queries.baselines.last()
    if learnt is None:
        return True, "nothing is learnt yet; a share of each place's spots is an incident"
    learnt_when = f"learnt {learnt.at:%Y-%m-%d} from the time since {learnt.since:%Y-%m-%d}"
    missing = [f"{_count(learnt.unknown_hours)} had no data and taught nothing"] if learnt.unknown_hours else []
    for (kind, place), hours in islice(learnt.silent.items(), _PLACES_NAMED):
        missing.append(f"{kind} {place} was silent while others went on, and {_count(hours)} taught nothing")
    if (left := len(learnt.silent) - _PLACES_NAMED) > 0:
        missing.append(f"so {'was' if left == 1 else 'were'} {count(left, 'more place')}")
    return True, "; ".join([learnt_when, *(missing or ["every hour had data"])])


def _count(hours: Sequence[datetime]) -> str:
    return f"{count(len(hours), 'hour')} (the last {hours[-1].astimezone(UTC):%Y-%m-%d %H:%M} UTC)"


def _audit(app: App) -> tuple[bool, str]:
    wrong = app.queries.reconciliation.claims_off_their_events()
    return (
        wrong == 0,
        f"{count(wrong, 'claim')} not at the last event" if wrong else "every claim is at its last event",
    )


def _signing_key(app: App) -> tuple[bool, str]:
    problem = app.audit.checkpoints.key_problem()
    return problem is None, problem or f"the key that is to sign checkpoints ({app.settings.audit_key_file})"


def _evidence(app: App) -> tuple[bool, str]:
    wrong = app.queries.reconciliation.claims_off_their_evidence()
    place = app.settings.evidence_store or "the database"
    return (
        wrong == 0,
        f"{count(wrong, 'claim')} without the evidence on record" if wrong else f"as recorded; files in {place}",
    )
