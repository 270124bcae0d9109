"""The role `worker`: batches are taken in, and steps carried out."""

from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq
import structlog

from workers.bootstrap.app import App
from workers.roles.background import STOP_SECONDS, await_stop, serve_metrics
from workers.runtime.actors import INTAKE_QUEUE
from workers.runtime.garbage_collection import calm_the_collector
from workers.steps.registry import STEPS, Lane, kinds_in

log = structlog.get_logger("spotclaim")


def run(app: App) -> None:
    """Carries out intake and steps until stopped."""
    app.make_ready()
    serve_metrics(app)
    calm_the_collector()
    with working(app):
        log.info("working", threads=app.settings.worker_threads, delivery_threads=app.settings.delivery_threads)
        await_stop(app.stopping)


@contextmanager
def working(app: App) -> Iterator[None]:
    """Within the block this process carries out intake and steps. Deliveries have threads of their own."""
    app.make_ready()
    settings, work = app.settings, app.work
    intake = {INTAKE_QUEUE} if work.amqp else set()
    workers = [
        dramatiq.Worker(
            work.step_broker,
            queues=_queues("claims") | intake,
            worker_threads=settings.worker_threads,
            worker_timeout=100,
        ),
        dramatiq.Worker(
            work.delivery_broker,
            queues=_queues("deliveries"),
            worker_threads=settings.delivery_threads,
            worker_timeout=100,
        ),
    ]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        app.stopping.set()
        for worker in workers:
            worker.stop(timeout=STOP_SECONDS * 1000)


def _queues(lane: Lane) -> set[str]:
    return {STEPS[kind].queue for kind in kinds_in(lane)}
