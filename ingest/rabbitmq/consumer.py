"""The RabbitMQ door: whatever has arrived becomes one batch, handed over before it is acknowledged."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import pika
import pika.exceptions
import structlog
from pika.adapters.blocking_connection import BlockingChannel

from domain.errors import MalformedMessage, TransientError
from domain.field.batch import Batch
from domain.ports.store import Clock, HandOver
from ingest.cloudevents import decode as wire
from ingest.rabbitmq import topology

BATCH_SIZE = 500
BATCH_BYTES = 8 * 1024 * 1024
LINGER_SECONDS = 0.005
# Reading a full batch that already lies there takes longer than waiting for one may.
_LONGEST_READ_SECONDS = 0.025
_PREFETCH = 2 * BATCH_SIZE
_IDLE_SECONDS = 1.0
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 0.1, 5.0

log = structlog.get_logger("ingest")


@dataclass(slots=True)
class Arrived:
    """A message as the broker gave it; `user_id` is validated by it.

    `sent_at` is what the publisher states, in seconds since 1970.
    """

    tag: int
    body: bytes
    headers: Mapping[str, Any] | None
    user_id: str | None
    routing_key: str = ""
    sent_at: int | None = None


Durably = Callable[[], None]
"""Returns when all that a door made of some messages is durable. Raises `TransientError`."""


class Door(Protocol):
    """What is consumed, and what is made of it."""

    queues: Sequence[str]

    def open(self) -> None:
        """The connection is new: whatever was not made durable comes again."""

    def take(self, arrived: Sequence[Arrived]) -> Durably:
        """Reads the next messages. Raises `TransientError`, and nothing else."""

    def idle(self) -> Durably | None:
        """Nothing waits; what is due all the same?"""


class EventDoor:
    """The door of CloudEvents."""

    queues: Sequence[str] = tuple(topology.QUEUES.values())

    def __init__(self, hand_over: HandOver, clock: Clock, *, require_user_id: bool = False) -> None:
        self._hand_over = hand_over
        self._clock = clock
        self._require_user_id = require_user_id

    def open(self) -> None:
        """Nothing is remembered between messages."""

    def take(self, arrived: Sequence[Arrived]) -> Durably:
        """One batch of them all."""
        batch, now = Batch(), self._clock()
        for message in arrived:
            reception = wire.Reception(now, "rabbitmq", message.user_id)
            if self._require_user_id and message.user_id is None:
                batch.quarantined.append(wire.quarantined(message.body, no_user(), reception))
            else:
                wire.take_in(batch, message.body, reception, message.headers)
        return partial(self._hand_over, batch)

    def idle(self) -> None:
        """Nothing is ever due."""


def no_user() -> MalformedMessage:
    """Why a message is refused that states no user where one is required."""
    return MalformedMessage("NO_USER_ID", "The publisher did not state its broker user.")


@dataclass(slots=True)
class _HandedOver:
    done: Future[None]
    last_tag: int


class Consumer:
    """Consumes the queues of a door until told to stop.

    A batch is what has arrived, up to `BATCH_SIZE` messages, and never waits longer than `LINGER_SECONDS` for
    company that is not there yet. It is acknowledged after it became durable, so a crash at any point repeats
    messages and never loses one. When handing over fails, the connection is dropped and everything unacknowledged
    comes again.
    """

    def __init__(
        self,
        parameters: pika.ConnectionParameters,
        door: Door,
        *,
        stopping: threading.Event | None = None,
    ) -> None:
        self._parameters = parameters
        self._door = door
        self._arrived: list[Arrived] = []
        self._stopping = stopping or threading.Event()
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="hand-over")
        self._handed_over: _HandedOver | None = None

    def run(self) -> None:
        """Consumes until told to stop; lost connections are made again with growing pauses."""
        pause = _FIRST_RETRY_SECONDS
        while not self._stopping.is_set():
            try:
                channel = topology.open_channel(self._parameters)
                pause = _FIRST_RETRY_SECONDS
                self._consume(channel)
            except (pika.exceptions.AMQPError, TransientError, OSError) as error:
                log.warning("intake interrupted", error=str(error) or type(error).__name__, retry_in=pause)
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_RETRY_SECONDS)

    def _consume(self, channel: BlockingChannel) -> None:
        self._arrived.clear()
        self._handed_over = None
        self._door.open()
        try:
            channel.basic_qos(prefetch_count=_PREFETCH)
            for queue in self._door.queues:
                channel.basic_consume(queue, self._receive)
            log.info("consuming", queues=list(self._door.queues))
            while not self._stopping.is_set():
                self._collect(channel)
                self._flush(channel)
            self._acknowledge(channel)
        finally:
            if channel.connection.is_open:
                channel.connection.close()

    def _receive(self, _channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._arrived.append(
            Arrived(
                method.delivery_tag,
                body,
                properties.headers,
                properties.user_id,
                method.routing_key,
                properties.timestamp,
            )
        )

    def _collect(self, channel: BlockingChannel) -> None:
        """Waits for a first message, then for its company, as long as more lies there or may yet come."""
        if not self._arrived:
            channel.connection.process_data_events(time_limit=_IDLE_SECONDS)
        began = time.monotonic()
        while 0 < (before := len(self._arrived)) < BATCH_SIZE:
            waited = time.monotonic() - began
            channel.connection.process_data_events(time_limit=max(0.0, LINGER_SECONDS - waited))
            drained = waited > LINGER_SECONDS and len(self._arrived) == before
            if drained or waited > _LONGEST_READ_SECONDS:
                return

    def _flush(self, channel: BlockingChannel) -> None:
        """Hands over what has arrived, in batches.

        While there are full batches more is coming: what they leave over waits for company, and the next batch is
        read while the last is made durable. Otherwise everything is acknowledged before more is awaited.
        """
        if not self._arrived and (due := self._door.idle()):
            due()
        full = False
        while len(self._arrived) >= BATCH_SIZE or (self._arrived and not full):
            full = len(self._arrived) >= BATCH_SIZE
            taken = self._take()
            durably = self._door.take(taken)
            self._acknowledge(channel)
            self._handed_over = _HandedOver(self._hands.submit(durably), taken[-1].tag)
        if not full:
            self._acknowledge(channel)

    def _acknowledge(self, channel: BlockingChannel) -> None:
        """Waits until the last batch is durable and acknowledges it. Raises what handing it over raised."""
        if self._handed_over is not None:
            self._handed_over.done.result()
            channel.basic_ack(self._handed_over.last_tag, multiple=True)
            self._handed_over = None

    def _take(self) -> list[Arrived]:
        """The next messages that fit into one batch by number and size."""
        size = 0
        for count, message in enumerate(self._arrived):
            size += len(message.body)
            if count == BATCH_SIZE or (count and size > BATCH_BYTES):
                break
        else:
            count = len(self._arrived)
        taken, self._arrived[:count] = self._arrived[:count], []
        return taken
