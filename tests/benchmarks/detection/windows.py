"""Windows: what detection costs Redis a fault: the server's own processor time, of sightings in batches of 500.

Every fault counts in a zone and in a model, as those of registered spots do; there are as many zones, models and
codes as a fleet of 5,000 spots has.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import redis

from adapters.redis import feed as redis_feed
from adapters.redis.windows import RedisWindows
from domain.incidents.windows import Sighting, newest_by_group
from tests.benchmarks.corner import fresh_corner
from tests.benchmarks.report import Row, ceiling_row
from tests.benchmarks.scale import Scale

_BATCH = 500
_SPOTS, _ZONES, _MODELS = 5_000, 50, 12
_CODES = ("POWER_FAILURE", "GROUND_FAILURE", "COMMUNICATION_FAILURE", "CONNECTOR_LOCK_FAILURE")


def measure(scale: Scale) -> Iterator[Row]:
    """Microseconds a fault."""
    with fresh_corner() as corner:
        client = redis_feed.connect(corner.redis_url)
        turns = [_turn(client, scale.window_sightings) for _ in range(scale.repetitions)]
        client.close()
    yield ceiling_row("windows", "one fault, in Redis", median(turns), "µs", at_most=20)


def _turn(client: "redis.Redis", count: int) -> float:
    client.flushdb()
    windows = RedisWindows(client, timedelta(hours=1))
    windows.fill({})
    now = datetime.now(UTC)
    sightings = [_sighting(number, now - timedelta(seconds=2 * (count - number))) for number in range(count)]
    batches = [
        newest_by_group(sightings[begin : begin + _BATCH], now) for begin in range(0, len(sightings), _BATCH)
    ]
    began = _processor_seconds(client)
    for batch in batches:
        if windows.see(batch) is None:
            raise ValueError("The windows were emptied while they were measured.")
    return (_processor_seconds(client) - began) / count * 1e6


def _sighting(number: int, at: datetime) -> Sighting:
    spot = number * 7919 % _SPOTS
    code = _CODES[number % len(_CODES)]
    return Sighting(code, f"DE*ABC*E{spot:05d}", at, f"zone {spot % _ZONES}", f"Acme {spot % _MODELS}")


def _processor_seconds(client: "redis.Redis") -> float:
    info: Any = client.info("cpu")
    return float(info["used_cpu_user"] + info["used_cpu_sys"])
