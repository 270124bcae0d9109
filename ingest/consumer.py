"""The RabbitMQ door: whatever has arrived becomes one batch, handed over before it is acknowledged."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pika
import pika.exceptions
import structlog
from pika.adapters.blocking_connection import BlockingChannel

from domain.errors import MalformedMessage, TransientError
from domain.intake import Batch
from domain.ports import Clock, HandOver
from ingest import topology, wire

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
class _Arrived:
    tag: int
    body: bytes
    headers: Mapping[str, Any] | None
    user_id: str | None


class Consumer:
    """Consumes the three intake queues until told to stop.

    A batch is what has arrived, up to `BATCH_SIZE` messages, and never waits longer than `LINGER_SECONDS` for
    company that is not there yet. It is acknowledged after `hand_over` returned, so a crash at any point repeats
    messages and never loses one. When handing over fails, the connection is dropped and everything unacknowledged
    comes again.
    """

    def __init__(
        self,
        parameters: pika.ConnectionParameters,
        hand_over: HandOver,
        clock: Clock,
        *,
        require_user_id: bool = False,
        stopping: threading.Event | None = None,
    ) -> None:
        self._parameters = parameters
        self._hand_over = hand_over
        self._clock = clock
        self._require_user_id = require_user_id
        self._arrived: list[_Arrived] = []
        self._stopping = stopping or threading.Event()

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
        try:
            channel.basic_qos(prefetch_count=_PREFETCH)
            for queue in topology.QUEUES.values():
                channel.basic_consume(queue, self._receive)
            log.info("consuming", queues=list(topology.QUEUES.values()))
            while not self._stopping.is_set():
                self._collect(channel)
                if self._arrived:
                    self._flush(channel)
        finally:
            if channel.connection.is_open:
                channel.connection.close()

    def _receive(self, _channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._arrived.append(_Arrived(method.delivery_tag, body, properties.headers, properties.user_id))

    def _collect(self, channel: BlockingChannel) -> None:
        """Waits for a first message, then for its company, as long as more lies there or may yet come."""
        channel.connection.process_data_events(time_limit=_IDLE_SECONDS)
        began = time.monotonic()
        while 0 < (before := len(self._arrived)) < BATCH_SIZE:
            waited = time.monotonic() - began
            channel.connection.process_data_events(time_limit=max(0.0, LINGER_SECONDS - waited))
            drained = waited > LINGER_SECONDS and len(self._arrived) == before
            if drained or waited > _LONGEST_READ_SECONDS:
                return

    def _flush(self, channel: BlockingChannel) -> None:
        """Hands over everything that has arrived, in batches, and acknowledges each once it is durable."""
        while self._arrived:
            taken = self._take()
            self._hand_over(self._decode(taken))
            channel.basic_ack(taken[-1].tag, multiple=True)

    def _take(self) -> list[_Arrived]:
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

    def _decode(self, taken: list[_Arrived]) -> Batch:
        batch, now = Batch(), self._clock()
        for message in taken:
            reception = wire.Reception(now, "rabbitmq", message.user_id)
            if self._require_user_id and message.user_id is None:
                reason = MalformedMessage("NO_USER_ID", "The publisher did not state its broker user.")
                batch.quarantined.append(wire.quarantined(message.body, reason, reception))
            else:
                wire.take_in(batch, message.body, reception, message.headers)
        return batch
