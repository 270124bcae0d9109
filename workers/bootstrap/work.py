"""How batches and steps travel: the broker, the queue of pending steps, and the relays between them."""

from contextlib import ExitStack
from dataclasses import dataclass

import dramatiq
import pika

from adapters.postgres.field.known_messages import KnownMessages
from adapters.postgres.field.station_memory import PostgresStationMemory
from adapters.postgres.steps.queue import StepQueue, StepSignal
from adapters.rabbitmq import connection as rabbitmq
from adapters.rabbitmq import dramatiq as dramatiq_broker
from domain.ports.store import DeliverBatch, Known, StationMemory
from workers.bootstrap.foundation import Foundation
from workers.runtime.actors import SendSteps, register_intake, register_steps
from workers.runtime.relay import Relay
from workers.steps.registry import LANES, kinds_in


@dataclass(frozen=True, slots=True)
class Work:
    """`amqp` is None in the embedded form. `known` and `station_memory` are what sources must remember."""

    amqp: pika.URLParameters | None
    step_broker: dramatiq.Broker
    delivery_broker: dramatiq.Broker
    deliver_batch: DeliverBatch
    known: Known
    station_memory: StationMemory
    steps: StepQueue
    relays: tuple[Relay, ...]


def build(base: Foundation, intake: DeliverBatch, carry_out: SendSteps, stack: ExitStack) -> Work:
    """Builds the part. Batches are taken in by `intake`, steps carried out by `carry_out`.

    Raises `SetupError` for an address of RabbitMQ that cannot be one; connects to nothing yet.
    """
    settings, engine = base.settings, base.engine
    amqp = rabbitmq.parameters(settings.amqp_url.get_secret_value()) if settings.amqp_url else None
    step_broker, delivery_broker = _broker(amqp, stack), _broker(amqp, stack)
    send = register_steps({"claims": step_broker, "deliveries": delivery_broker}, carry_out)
    return Work(
        amqp=amqp,
        step_broker=step_broker,
        delivery_broker=delivery_broker,
        # Without a broker a batch is durable only once it is in the database, so it goes there at once.
        deliver_batch=register_intake(step_broker, intake) if amqp else intake,
        known=KnownMessages(engine),
        station_memory=PostgresStationMemory(engine),
        steps=StepQueue(engine, settings.step_lease_seconds),
        relays=tuple(
            Relay(
                StepQueue(engine, settings.step_lease_seconds, kinds_in(lane)),
                StepSignal(engine),
                send,
                settings.relay_poll_seconds,
            )
            for lane in LANES
        ),
    )


def _broker(amqp: pika.URLParameters | None, stack: ExitStack) -> dramatiq.Broker:
    broker = dramatiq_broker.rabbitmq_broker(amqp) if amqp else dramatiq_broker.in_process_broker()
    stack.callback(broker.close)
    return broker
