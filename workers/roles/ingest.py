"""Runs the role `ingest`: messages from RabbitMQ become batches that are delivered to workers."""

from domain.errors import SetupError
from ingest.ocpp.queue import FrameListener
from ingest.rabbitmq.consumer import Consumer, EventListener
from workers.bootstrap.app import App
from workers.roles.background import background, serve_metrics
from workers.runtime.garbage_collection import calm_the_collector


def run(app: App) -> None:
    """Consumes RabbitMQ until stopped."""
    work, require_user_id = app.work, app.settings.require_user_id
    if work.amqp is None:
        raise SetupError("SPOTCLAIM_AMQP_URL is not set: there is no broker to consume from.")
    events = EventListener(work.deliver_batch, app.clock, require_user_id=require_user_id)
    frames = FrameListener(
        work.deliver_batch,
        work.station_memory,
        app.clock,
        app.metrics.ignored,
        require_user_id=require_user_id,
    )
    serve_metrics(app)
    calm_the_collector()
    with background(app, "ocpp", Consumer(work.amqp, frames, stopping=app.stopping).run):
        Consumer(work.amqp, events, stopping=app.stopping).run()
