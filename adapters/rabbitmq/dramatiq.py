"""Dramatiq over RabbitMQ, made reliable, and its in-process twin.

Differences from the stock broker, and why:

- Deliveries are confirmed; stock Dramatiq does not wait.
- Work queues are quorum queues, and dead letters do not expire: a batch of faults may be the only copy.
- There is no Retries middleware: it acknowledges a message whose re-publication failed. A step that fails is sent
  again from its row. A batch of faults whose servers were away goes back to its queue.
- A message that does not belong to its queue is dead-lettered before it can stop a consumer.
- A process in which a message hangs beyond every time limit ends itself; its messages go to another.
"""

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import dramatiq
import orjson
import pika
import pika.exceptions
import structlog
from dramatiq.brokers.rabbitmq import RabbitmqBroker, _RabbitmqConsumer
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import xq_name
from dramatiq.errors import BrokerConnectionError
from dramatiq.middleware import Middleware
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from domain.errors import TransientError

# More than the longest wait of intake and the longest chain of bounded waits in a step.
STUCK_SECONDS = 900.0

# RabbitMQ 4 would dead-letter a batch after 20 redeliveries, which a long outage of the database may cause.
_QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000}

log = structlog.get_logger("broker")


class OrjsonEncoder(dramatiq.Encoder):
    """Encodes messages as JSON; dataclasses and moments need no help."""

    def encode(self, data: dict[str, Any]) -> bytes:
        return orjson.dumps(data)

    def decode(self, data: bytes) -> dict[str, Any]:
        fields: dict[str, Any] = orjson.loads(data)
        return fields


class FailOnException(Middleware):
    """Fails a message whose actor raised, which Dramatiq would acknowledge otherwise."""

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: dramatiq.MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        if exception is not None:
            message.fail()


class Watchdog(Middleware):
    """Ends the process when a message has been in progress for too long.

    The limit is more than all its waits together may take. Whoever runs the process restarts it, and RabbitMQ
    delivers its messages to others meanwhile.
    """

    def __init__(self, limit_seconds: float, give_up: Callable[[], None] = lambda: os._exit(70)) -> None:
        self._limit_seconds = limit_seconds
        self._give_up = give_up
        self._since: dict[int, float] = {}

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        self._since[threading.get_ident()] = time.monotonic()

    def after_process_message(self, *_: Any, **__: Any) -> None:
        self._since.pop(threading.get_ident(), None)

    def _watch(self) -> None:
        while True:
            time.sleep(self._limit_seconds / 10)
            oldest = min(list(self._since.values()), default=time.monotonic())
            if time.monotonic() - oldest > self._limit_seconds:
                log.critical("message stuck, ending the process", seconds=self._limit_seconds)
                self._give_up()


class _GuardedConsumer(_RabbitmqConsumer):
    """Requeues work that failed because a server was away; dead-letters foreign messages."""

    def nack(self, message: Any) -> None:
        if isinstance(message._exception, TransientError):
            self._put_back(message)
        else:
            super().nack(message)

    def _put_back(self, message: Any) -> None:
        if message._tag in self.known_tags:
            self.known_tags.discard(message._tag)
            self.connection.add_callback_threadsafe(partial(self.channel.basic_nack, message._tag, requeue=True))

    def __next__(self) -> Any:
        message = super().__next__()
        if message is not None and not self._belongs(message):
            super().nack(message)
            return None
        return message

    def _belongs(self, message: Any) -> bool:
        """Tells whether a message is one of ours for this queue.

        None of ours asks for a delay, and one that does would block the queue's prefetch until then.
        """
        return (
            message.queue_name == self.queue_name
            and isinstance(message.actor_name, str)
            and isinstance(message.kwargs, dict)
            and isinstance(message.options, dict)
            and "eta" not in message.options
        )


class SafeRabbitmqBroker(RabbitmqBroker):
    """The Dramatiq broker for real servers."""

    @property
    def consumer_class(self) -> type[_RabbitmqConsumer]:
        return _GuardedConsumer

    def enqueue(self, message: Any, *, delay: int | None = None) -> Any:
        """Publishes a message. Raises `TransientError` when RabbitMQ did not confirm it."""
        try:
            return super().enqueue(message, delay=delay)
        except (BrokerConnectionError, pika.exceptions.AMQPError, AMQPConnectorException, OSError) as error:
            del self.connection
            reason = str(error) or type(error).__name__
            raise TransientError(f"RabbitMQ did not confirm a message: {reason}") from error

    def _declare_queue(self, queue_name: str) -> Any:
        arguments = self._build_queue_arguments(queue_name) | _QUORUM
        return self.channel.queue_declare(queue=queue_name, durable=True, arguments=arguments)

    def _declare_xq_queue(self, queue_name: str) -> Any:
        return self.channel.queue_declare(queue=xq_name(queue_name), durable=True, arguments=_QUORUM)


def rabbitmq_broker(parameters: pika.URLParameters) -> SafeRabbitmqBroker:
    """Creates a broker that connects on first use, separately in each thread."""
    dramatiq.set_encoder(OrjsonEncoder())
    broker = SafeRabbitmqBroker(confirm_delivery=True, middleware=[FailOnException(), Watchdog(STUCK_SECONDS)])
    broker.parameters = parameters
    return broker


def in_process_broker() -> StubBroker:
    """Creates a broker whose queues live in this process.

    Messages that it loses are sent again from their step rows.
    """
    dramatiq.set_encoder(OrjsonEncoder())
    return StubBroker(middleware=[FailOnException()])
