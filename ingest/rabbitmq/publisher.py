"""Publishes CloudEvents to RabbitMQ as a controller would: confirmed, many in flight."""

from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from typing import Any

import orjson
import pika
from pika.channel import Channel

from domain.errors import TransientError
from ingest.cloudevents import decode
from ingest.cloudevents.ledger import Ledger
from ingest.rabbitmq import topology

_WINDOW = 2000
_GROUP = 500
_STALL_SECONDS = 30.0
_CONTENT_TYPE = "application/cloudevents+json"


def publish(parameters: pika.ConnectionParameters, bodies: Iterable[bytes], ledger: Ledger | None = None) -> int:
    """Publishes messages and returns how many the broker confirmed, which is all of them.

    Raises `TransientError` when the broker is away, refuses one, or confirms nothing for half a minute; what was
    confirmed until then is in the ledger.
    """
    topology.open_channel(parameters).connection.close()
    sending = _Sending(bodies, ledger, user=parameters.credentials.username)
    connection = pika.SelectConnection(
        parameters,
        on_open_callback=sending.opened,
        on_open_error_callback=sending.failed,
        on_close_callback=sending.failed,
    )
    sending.watch(connection)
    try:
        connection.ioloop.start()
    finally:
        connection.ioloop.close()
    if sending.error is not None:
        raise TransientError(f"RabbitMQ: {sending.error}")
    return sending.confirmed


class _Sending:
    """Runs the publisher: a window of unconfirmed messages moves over the input."""

    def __init__(self, bodies: Iterable[bytes], ledger: Ledger | None, user: str) -> None:
        self._bodies: Iterator[bytes] = iter(bodies)
        # The broker refuses a message that states another user than the connection's, so consumers can rely on it.
        self._properties = pika.BasicProperties(content_type=_CONTENT_TYPE, delivery_mode=2, user_id=user)
        self._ledger = ledger
        self._unconfirmed: dict[int, str] = {}
        self._sent = 0
        self._progress = -1
        self._channel: Any = None
        self._finished = False
        self.confirmed = 0
        self.error: object | None = None

    def opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._start)

    def failed(self, connection: Any, error: object) -> None:
        """Handles the end of the connection. It is in order only if everything was read, sent and confirmed."""
        if not self._finished:
            self.error = self.error or error
        connection.ioloop.stop()

    def watch(self, connection: Any) -> None:
        """Ends the run when nothing was confirmed since the last check."""
        if self._progress == self.confirmed:
            self.error = f"nothing was confirmed for {_STALL_SECONDS:g} seconds"
            connection.ioloop.stop()
            return
        self._progress = self.confirmed
        connection.ioloop.call_later(_STALL_SECONDS, lambda: self.watch(connection))

    def _start(self, channel: Channel) -> None:
        self._channel = channel
        channel.confirm_delivery(self._settled)
        self._fill()

    def _fill(self) -> None:
        while len(self._unconfirmed) <= _WINDOW - _GROUP:
            group = [(body, decode.identify(body)) for body in islice(self._bodies, _GROUP)]
            if not group:
                break
            if self._ledger:
                sources = {identity.source for _, identity in group if identity.source}
                self._ledger.intend([identity.key for _, identity in group], sorted(sources))
            for body, identity in group:
                self._sent += 1
                self._unconfirmed[self._sent] = identity.key
                self._channel.basic_publish(topology.EXCHANGE, _routing_key(body), body, self._properties)
        if not self._unconfirmed:
            self._finished = True
            self._channel.connection.close()

    def _settled(self, frame: Any) -> None:
        method = frame.method
        tags = [method.delivery_tag]
        if method.multiple:
            tags = list(takewhile(lambda tag: tag <= method.delivery_tag, self._unconfirmed))
        if method.NAME != "Basic.Ack":
            self.error = "the broker refused a message"
            self._channel.connection.close()
            return
        keys = [self._unconfirmed.pop(tag) for tag in tags]
        self.confirmed += len(keys)
        if self._ledger:
            self._ledger.confirm(keys)
        self._fill()


def _routing_key(body: bytes) -> str:
    """Returns the routing key of the message's type, as far as it can be read."""
    try:
        return topology.ROUTING_KEYS[orjson.loads(body)["type"]]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return topology.UNKNOWN_TYPE_KEY
