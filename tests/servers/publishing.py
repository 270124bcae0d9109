"""Messages that certainly reach their queue: each is confirmed, and offered again if the broker refuses it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import NackError, UnroutableError

from tests.servers.waiting import wait_until

PERSISTENT = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)


@contextmanager
def confirming(parameters: pika.ConnectionParameters) -> Iterator[BlockingChannel]:
    """A channel that confirms, on a connection of its own."""
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel


def offer(
    channel: BlockingChannel,
    exchange: str,
    routing_key: str,
    body: bytes,
    properties: pika.BasicProperties = PERSISTENT,
) -> None:
    """Publishes a message on a channel that confirms, again and again until it is in a queue.

    A broker that is busy may refuse one for the moment, which nobody hears who does not ask.
    """

    def taken() -> bool:
        try:
            channel.basic_publish(exchange, routing_key, body, properties, mandatory=True)
        except (NackError, UnroutableError):
            return False
        return True

    assert wait_until(taken), f"the broker does not take {body[:100]!r} for {routing_key!r}"
