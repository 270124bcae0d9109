"""At rest: how long a fault takes from its publisher to a committed claim when little else happens.

All roles run. One thread publishes 50 faults a second, each from a new spot, and notes its clock just before. The
other looks every millisecond which of the faults under way are visible to a connection of its own: one look-up in
the primary key, and only while there are any. Both clocks are one, so what is measured is true to the length of a
look, about 1.5 ms, always to our disadvantage.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from statistics import quantiles

import pika
import psycopg2.extensions

from ingest.cloudevents import decode as wire
from ingest.rabbitmq import topology
from tests.benchmarks.corner import Corner, fresh_corner
from tests.benchmarks.intake import loads
from tests.benchmarks.intake.intake import demand_running
from tests.benchmarks.processes import role
from tests.benchmarks.report import Row, ceiling_row
from tests.benchmarks.scale import Scale
from tests.servers.loopback import free_port

_PER_SECOND = 50
_WARM_UP_MESSAGES = 50
_LOOK_SECONDS = 0.001
_GRACE_SECONDS = 30.0
_SEEN = "SELECT replace(key::text, '-', '') FROM faults WHERE key = ANY(%s::uuid[])"
_PROPERTIES = pika.BasicProperties(content_type="application/cloudevents+json", delivery_mode=2)


def measure(scale: Scale) -> Iterator[Row]:
    """Median and 99th percentile of all faults but those of the first second."""
    with fresh_corner() as corner, ExitStack() as stack:
        roles = [stack.enter_context(role(name, corner)) for name in ("worker", "relay", "ingest")]
        roles.append(stack.enter_context(role("console", corner, "--port", str(free_port()))))
        delays = _delays(corner, _WARM_UP_MESSAGES + scale.rest_seconds * _PER_SECOND)
        demand_running(roles)
    cuts = quantiles([1000 * delay for delay in delays[_WARM_UP_MESSAGES:]], n=100)
    yield ceiling_row("at rest", "publish to commit, p50", cuts[49], "ms")
    yield ceiling_row("at rest", "publish to commit, p99", cuts[98], "ms", at_most=50)
    yield ceiling_row("at rest", "publish to commit, slowest", 1000 * max(delays[_WARM_UP_MESSAGES:]), "ms")


def _delays(corner: Corner, count: int) -> list[float]:
    """Seconds from publication until seen, in order of publication."""
    under_way = _UnderWay()
    connection = corner.connect()
    deadline = time.monotonic() + count / _PER_SECOND + _GRACE_SECONDS
    with closing(connection), ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(_publish, corner, count, under_way)
        while len(under_way.seen) < count and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            _look(connection, under_way)
            if publishing.done():
                publishing.result()  # raises what publishing raised
    if len(under_way.seen) < count:
        raise TimeoutError(f"{count - len(under_way.seen)} of {count} faults were never committed.")
    return [under_way.seen[key] - at for key, at in under_way.published.items()]


class _UnderWay:
    """When each fault was published, and when it was seen."""

    def __init__(self) -> None:
        self.published: dict[str, float] = {}
        self.seen: dict[str, float] = {}


def _look(connection: psycopg2.extensions.connection, under_way: _UnderWay) -> None:
    awaited = [key for key in list(under_way.published) if key not in under_way.seen]
    if not awaited:
        return
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, (awaited,))
        now = time.monotonic()
        under_way.seen.update((key, now) for (key,) in cursor.fetchall())


def _publish(corner: Corner, count: int, under_way: _UnderWay) -> None:
    messages = [(wire.identify(body).key, body) for body in loads.new_spots(count)]
    channel = topology.open_channel(corner.amqp)
    began = time.monotonic()
    for number, (key, body) in enumerate(messages):
        time.sleep(max(0.0, began + number / _PER_SECOND - time.monotonic()))
        under_way.published[key] = time.monotonic()
        channel.basic_publish(topology.EXCHANGE, "fault.raised", body, _PROPERTIES)
    channel.connection.close()
