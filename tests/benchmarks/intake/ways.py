"""The ways to take faults in that are compared: ours, the floor, and the usual ones with Dramatiq and Celery.

A way fills its queue before its processes start, then runs. All but the last process are awaited; the clock starts
at the first commit, so starting costs nobody anything.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pika

from ingest.rabbitmq import publisher
from tests.benchmarks.corner import Corner
from tests.benchmarks.intake import loads, usual
from tests.benchmarks.processes import Process, ProcessFailed, role, started, tool
from tests.benchmarks.scale import Scale

_ROOT = Path(__file__).parents[3]
_FILL_SECONDS = 300
_FAULTS_QUEUE = "spotclaim.faults"
# One bare consumer, as the floor is defined; it reads the next batch while PostgreSQL writes the last.
_FLOOR_PROCESSES = 1


@dataclass(frozen=True)
class Way:
    """How many messages it gets, how its queue is filled, and what runs."""

    name: str
    size: Callable[[Scale], int]
    fill: Callable[[Corner, str, int], None]
    running: Callable[[Corner, str], AbstractContextManager[list[Process]]]


def publish(corner: Corner, load: str, count: int) -> None:
    """Fills the intake queue as a controller would, with confirmed messages."""
    publisher.publish(corner.amqp, getattr(loads, load)(count))
    _demand_waiting(corner, _FAULTS_QUEUE, count)


@contextmanager
def _ours(corner: Corner, _load: str) -> Iterator[list[Process]]:
    with role("worker", corner) as worker, role("ingest", corner, ready=False) as ingest:
        yield [worker, ingest]


@contextmanager
def _floor(corner: Corner, load: str) -> Iterator[list[Process]]:
    command = [sys.executable, "-m", "tests.benchmarks.intake.floor", load]
    processes = [Process(f"floor-{number}", command, corner) for number in range(_FLOOR_PROCESSES)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()


@contextmanager
def _dramatiq(corner: Corner, _load: str) -> Iterator[list[Process]]:
    command = [tool("dramatiq"), "tests.benchmarks.intake.usual_dramatiq", "--processes", "2", "--threads", "8"]
    with started(Process("dramatiq", command, corner)) as process:
        yield [process]


@contextmanager
def _celery(corner: Corner, _load: str) -> Iterator[list[Process]]:
    command = [tool("celery"), "-A", "tests.benchmarks.intake.usual_celery", "worker", "--pool", "prefork"]
    command += ["--concurrency", "4", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    with started(Process("celery", command, corner)) as process:
        yield [process]


def _fill_by(module: str) -> Callable[[Corner, str, int], None]:
    def fill(corner: Corner, load: str, count: int) -> None:
        command = [sys.executable, "-m", module, load, str(count)]
        done = subprocess.run(
            command, cwd=_ROOT, env=corner.environment, capture_output=True, text=True, timeout=_FILL_SECONDS
        )
        if done.returncode:
            raise ProcessFailed(f"{module} could not fill its queue:\n{done.stderr[-2000:]}")
        _demand_waiting(corner, usual.QUEUE, count)

    return fill


def _demand_waiting(corner: Corner, queue: str, count: int) -> None:
    connection = pika.BlockingConnection(corner.amqp)
    waiting = connection.channel().queue_declare(queue, passive=True).method.message_count
    connection.close()
    if waiting != count:
        raise ProcessFailed(f"{queue} holds {waiting} messages instead of {count}.")


OURS = Way("ours", lambda scale: scale.intake_faults, publish, _ours)
FLOOR = Way("the floor", lambda scale: scale.intake_faults, publish, _floor)
DRAMATIQ = Way(
    "usual Dramatiq",
    lambda scale: scale.usual_faults,
    _fill_by("tests.benchmarks.intake.usual_dramatiq"),
    _dramatiq,
)
CELERY = Way(
    "usual Celery", lambda scale: scale.usual_faults, _fill_by("tests.benchmarks.intake.usual_celery"), _celery
)
