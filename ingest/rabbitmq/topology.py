"""Exchange, queues and routing keys of intake. Source: DESIGN, section 4."""

from typing import Final

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from domain.errors import TransientError

EXCHANGE: Final = "spotclaim.in"

QUEUES: Final = {
    "fault.#": "spotclaim.faults",
    "usage.#": "spotclaim.usage",
    "spot.#": "spotclaim.spots",
}

# Frames of OCPP stations, which must be read in order.
OCPP_QUEUE: Final = "spotclaim.ocpp"
OCPP_KEYS: Final = "ocpp.#"

ROUTING_KEYS: Final = {
    "spotclaim.fault.raised.v1": "fault.raised",
    "spotclaim.fault.cleared.v1": "fault.cleared",
    "spotclaim.usage.recorded.v1": "usage.recorded",
    "spotclaim.spot.registered.v1": "spot.registered",
}
# A message of unknown type must reach quarantine too, and any queue leads there.
UNKNOWN_TYPE_KEY: Final = "fault.unknown"


# By default RabbitMQ 4 drops a message of a quorum queue after 20 redeliveries, and an outage of the database
# redelivers often.
QUORUM: Final = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000}
# One consumer gets everything, in order; another takes over when it disconnects.
_ONE_AFTER_THE_OTHER: Final = QUORUM | {"x-single-active-consumer": True}


def declare(channel: BlockingChannel) -> None:
    """Declares the exchange, its quorum queues and their bindings; existing ones stay as they are."""
    channel.exchange_declare(EXCHANGE, exchange_type="topic", durable=True)
    for pattern, queue in QUEUES.items():
        channel.queue_declare(queue, durable=True, arguments=QUORUM)
        channel.queue_bind(queue, EXCHANGE, routing_key=pattern)
    channel.queue_declare(OCPP_QUEUE, durable=True, arguments=_ONE_AFTER_THE_OTHER)
    channel.queue_bind(OCPP_QUEUE, EXCHANGE, routing_key=OCPP_KEYS)


def connect(parameters: pika.ConnectionParameters) -> BlockingConnection:
    """Connects to RabbitMQ. Raises `TransientError` when it is away, refuses, or times out."""
    try:
        return BlockingConnection(parameters)
    except (pika.exceptions.AMQPError, AMQPConnectorException, OSError) as error:
        reason = str(error) or type(error).__name__
        raise TransientError(f"RabbitMQ at {parameters.host}:{parameters.port}: {reason}") from error


def open_channel(parameters: pika.ConnectionParameters) -> BlockingChannel:
    """Opens a channel on a new connection, with everything declared. Raises `TransientError`."""
    connection = connect(parameters)
    try:
        channel = connection.channel()
        declare(channel)
    except pika.exceptions.AMQPError as error:
        if connection.is_open:
            connection.close()
        raise TransientError(f"RabbitMQ does not let the queues be declared: {error!r}") from error
    return channel


def abort(connection: BlockingConnection) -> None:
    """Ends a connection as a crash would: whatever is not acknowledged returns to its queue at once, in order.

    Closing it would first reject, one by one, what no callback has seen yet, and so put it before what was seen.
    """
    # No public way of closing spares the consumers.
    connection._impl._terminate_stream(pika.exceptions.ConnectionClosedByClient(200, "aborted"))
    while connection.is_open:
        connection.process_data_events(time_limit=1)
