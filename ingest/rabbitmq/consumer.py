"""Consumes RabbitMQ: what has arrived becomes one batch, acknowledged once it is durable."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import pika
import pika.exceptions
import structlog
from pika.adapters.blocking_connection import BlockingChannel

from domain.backoff import Backoff
from domain.errors import MalformedMessage, TransientError
from domain.field.batch import Batch
from domain.ports.store import Clock, DeliverBatch
from ingest.cloudevents import decode
from ingest.rabbitmq import topology

BATCH_SIZE = 500
BATCH_BYTES = 8 * 1024 * 1024
LINGER_SECONDS = 0.005
# Reading a full batch that is already waiting takes longer than the linger time.
_LONGEST_READ_SECONDS = 0.025
_PREFETCH = 2 * BATCH_SIZE
_IDLE_SECONDS = 1.0
_RETRY = Backoff(timedelta(seconds=0.1), timedelta(seconds=5))

log = structlog.get_logger("ingest")


@dataclass(slots=True)
class IncomingMessage:
    """A message as the broker delivered it; the broker has validated `user_id`.

    `sent_at` is what the publisher states, in seconds since 1970.
    """

    tag: int
    body: bytes
    headers: Mapping[str, Any] | None
    user_id: str | None
    routing_key: str = ""
    sent_at: int | None = None


Flush = Callable[[], None]
"""Makes durable what a listener read from some messages. Raises `TransientError`."""


class Listener(Protocol):
    """Turns the messages of its queues into batches."""

    queues: Sequence[str]

    def open(self) -> None:
        """Resets the listener on a new connection: whatever was not made durable is delivered again."""

    def read(self, messages: Sequence[IncomingMessage]) -> Flush:
        """Reads the next messages. Raises `TransientError`, and nothing else."""

    def idle(self) -> Flush | None:
        """Returns what is due while no message waits."""


class EventListener:
    """Listens for CloudEvents."""

    queues: Sequence[str] = tuple(topology.QUEUES.values())

    def __init__(self, deliver_batch: DeliverBatch, clock: Clock, *, require_user_id: bool = False) -> None:
        self._deliver_batch = deliver_batch
        self._clock = clock
        self._require_user_id = require_user_id

    def open(self) -> None:
        """Does nothing, as no state is kept between messages."""

    def read(self, messages: Sequence[IncomingMessage]) -> Flush:
        """Reads all messages into one batch."""
        batch, now = Batch(), self._clock()
        for message in messages:
            reception = decode.Reception(now, "rabbitmq", message.user_id)
            if self._require_user_id and message.user_id is None:
                batch.quarantined.append(decode.quarantined(message.body, missing_user(), reception))
            else:
                decode.ingest_message(batch, message.body, reception, message.headers)
        return partial(self._deliver_batch, batch)

    def idle(self) -> None:
        """Returns nothing: no event ever becomes due."""


def missing_user() -> MalformedMessage:
    """Creates the error for a message without the required user."""
    return MalformedMessage("NO_USER_ID", "The publisher did not state its broker user.")


@dataclass(slots=True)
class _InFlight:
    done: Future[None]
    last_tag: int


class Consumer:
    """Consumes the queues of a listener until stopped.

    A batch is what has arrived, up to `BATCH_SIZE` messages, and waits at most `LINGER_SECONDS` for more. It is
    acknowledged after it became durable, so a crash at any point repeats messages and never loses one. When
    delivery fails, the connection is dropped and everything unacknowledged is delivered again.
    """

    def __init__(
        self,
        parameters: pika.ConnectionParameters,
        listener: Listener,
        *,
        stopping: threading.Event | None = None,
    ) -> None:
        self._parameters = parameters
        self._listener = listener
        self._arrived: list[IncomingMessage] = []
        self._stopping = stopping or threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="deliver")
        self._in_flight: _InFlight | None = None

    def run(self) -> None:
        """Consumes until stopped, reconnecting with exponential backoff."""
        failures = 0
        while not self._stopping.is_set():
            try:
                channel = topology.open_channel(self._parameters)
                failures = 0
                self._consume(channel)
            except (pika.exceptions.AMQPError, TransientError, OSError) as error:
                failures += 1
                pause = _RETRY.after(failures).total_seconds()
                log.warning("intake interrupted", error=str(error) or type(error).__name__, retry_in=pause)
                self._stopping.wait(pause)

    def _consume(self, channel: BlockingChannel) -> None:
        self._arrived.clear()
        self._in_flight = None
        self._listener.open()
        try:
            channel.basic_qos(prefetch_count=_PREFETCH)
            for queue in self._listener.queues:
                channel.basic_consume(queue, self._receive)
            log.info("consuming", queues=list(self._listener.queues))
            while not self._stopping.is_set():
                self._collect(channel)
                self._deliver(channel)
            self._acknowledge(channel)
            channel.basic_qos(prefetch_count=1)  # answered once the acknowledgements are read
        finally:
            if channel.connection.is_open:
                topology.abort(channel.connection)

    def _receive(self, _channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._arrived.append(
            IncomingMessage(
                method.delivery_tag,
                body,
                properties.headers,
                properties.user_id,
                method.routing_key,
                properties.timestamp,
            )
        )

    def _collect(self, channel: BlockingChannel) -> None:
        """Waits for a first message, then briefly for more."""
        if not self._arrived:
            channel.connection.process_data_events(time_limit=_IDLE_SECONDS)
        began = time.monotonic()
        while 0 < (before := len(self._arrived)) < BATCH_SIZE:
            waited = time.monotonic() - began
            channel.connection.process_data_events(time_limit=max(0.0, LINGER_SECONDS - waited))
            drained = waited > LINGER_SECONDS and len(self._arrived) == before
            if drained or waited > _LONGEST_READ_SECONDS:
                return

    def _deliver(self, channel: BlockingChannel) -> None:
        """Delivers what has arrived, in batches.

        While batches are full, more is arriving: the remainder waits for it, and the next batch is read while the
        last one is made durable. Otherwise everything is acknowledged before more is awaited.
        """
        if not self._arrived and (due := self._listener.idle()):
            due()
        full = False
        while len(self._arrived) >= BATCH_SIZE or (self._arrived and not full):
            full = len(self._arrived) >= BATCH_SIZE
            batch = self._next_batch()
            flush = self._listener.read(batch)
            self._acknowledge(channel)
            self._in_flight = _InFlight(self._pool.submit(flush), batch[-1].tag)
        if not full:
            self._acknowledge(channel)

    def _acknowledge(self, channel: BlockingChannel) -> None:
        """Waits until the last batch is durable and acknowledges it. Raises what its delivery raised."""
        if self._in_flight is not None:
            self._in_flight.done.result()
            channel.basic_ack(self._in_flight.last_tag, multiple=True)
            self._in_flight = None

    def _next_batch(self) -> list[IncomingMessage]:
        """Removes the next messages that fit into one batch by number and size."""
        size = 0
        for count, message in enumerate(self._arrived):
            size += len(message.body)
            if count == BATCH_SIZE or (count and size > BATCH_BYTES):
                break
        else:
            count = len(self._arrived)
        batch, self._arrived[:count] = self._arrived[:count], []
        return batch
