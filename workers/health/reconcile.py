"""Reconciles confirmed messages with the database, the quarantine and the broker."""

import time
from dataclasses import dataclass, replace

import orjson
import pika
import pika.exceptions
from dramatiq.common import xq_name

from adapters.postgres.field.reconciliation import ReconciliationQueries
from adapters.rabbitmq.batch_codec import to_batch
from domain.errors import TransientError
from domain.field.batch import Quarantined
from domain.field.fault import Fault
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from ingest.cloudevents import decode
from ingest.cloudevents.ledger import LedgerEntries
from ingest.rabbitmq import topology
from workers.runtime.actors import INTAKE_QUEUE

_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result, in numbers of messages.

    Without a ledger `attempts` and `confirmed` are 0, all stored messages are counted, and only what the database
    shows by itself can be checked: messages in two places, and counts of claims.

    lost: confirmed, and nowhere to be found, or stored and counted by no claim; unexpected: stored from a source
    of the ledger, and never attempted; duplicated: counted more often than stored, or stored in two places.
    """

    attempts: int
    confirmed: int
    in_database: int
    in_quarantine: int
    in_broker: int
    lost: int
    unexpected: int
    duplicated: int

    @property
    def clean(self) -> bool:
        """Checks that nothing is lost, unexpected or duplicated."""
        return not (self.lost or self.unexpected or self.duplicated)


def reconcile(
    holdings: ReconciliationQueries,
    amqp: pika.URLParameters | None,
    entries: LedgerEntries | None,
    patience_seconds: float,
) -> Reconciliation:
    """Reconciles, waiting for messages that are on their way, up to the patience.

    Raises `TransientError` when a server is away.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        in_broker = _in_broker(amqp) if amqp else set()
        result = _compare(holdings, in_broker, entries or LedgerEntries())
        if entries is None:
            taken_in, quarantined = holdings.counted()
            result = replace(result, in_database=taken_in, in_quarantine=quarantined)
        if result.clean or time.monotonic() > deadline:
            return result
        time.sleep(_POLL_SECONDS)


def _compare(holdings: ReconciliationQueries, in_broker: set[str], entries: LedgerEntries) -> Reconciliation:
    attempted = set(entries.attempts)
    stored = holdings.taken_in(attempted)
    quarantined = holdings.quarantined(attempted)
    counted_twice, not_counted = holdings.miscounted()
    return Reconciliation(
        attempts=len(entries.attempts),
        confirmed=len(entries.confirmed),
        in_database=len(stored),
        in_quarantine=len(quarantined),
        in_broker=len(in_broker - stored - quarantined),
        lost=len(entries.confirmed - stored - quarantined - in_broker) + not_counted,
        # Edited on its way out of quarantine, a message has a key that nobody attempted to send.
        unexpected=len(holdings.of_sources(entries.sources) - attempted - holdings.replayed()),
        duplicated=counted_twice + len(stored & quarantined),
    )


def _in_broker(parameters: pika.URLParameters) -> set[str]:
    """Returns the keys of messages that wait in queues, dead letters included. They are read and put back."""
    try:
        channel = topology.open_channel(parameters)
        try:
            keys = {
                decode.identify(body).key for queue in topology.QUEUES.values() for body in _peek(channel, queue)
            }
            for queue in (INTAKE_QUEUE, xq_name(INTAKE_QUEUE)):
                for body in _peek(channel, queue):
                    keys.update(_keys_of_batch(body))
            return keys
        finally:
            channel.connection.close()
    except pika.exceptions.AMQPError as error:
        raise TransientError(f"RabbitMQ: {error!r}") from error


def _peek(channel: pika.adapters.blocking_connection.BlockingChannel, queue: str) -> list[bytes]:
    """Returns the bodies of everything that waits in a queue. Unacknowledged, it all goes back at the end."""
    bodies = []
    try:
        waiting = channel.connection.channel().queue_declare(queue, passive=True).method.message_count
    except pika.exceptions.ChannelClosedByBroker:
        return []
    reader = channel.connection.channel()
    for _ in range(waiting):
        _, _, body = reader.basic_get(queue)
        if body is None:
            break
        bodies.append(body)
    reader.close()
    return bodies


def _keys_of_batch(body: bytes) -> list[str]:
    """Returns the keys in a Dramatiq message of ours; a foreign one among the dead letters has none."""
    try:
        batch = to_batch(orjson.loads(body)["args"][0])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return []
    items: list[Fault | UsageRecord | Spot | Quarantined]
    items = [*batch.faults, *batch.usage, *batch.spots, *batch.quarantined]
    return [item.key for item in items]
