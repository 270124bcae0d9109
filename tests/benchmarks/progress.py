"""Timing what becomes visible in the database, by looking seldom.

The database is asked for a count. Before anything happens every 5 ms, which costs nothing on an empty table, or as
seldom as the caller says where the table is full; then at half of what the rate so far leaves to go, at least
10 ms and at most a second later. That makes some ten looks a run, a few milliseconds each, and an end that is
known to about 10 ms.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.corner import Corner

_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.010, 1.0


class TooSlow(Exception):
    """It was not done by its deadline."""


@dataclass(frozen=True)
class Progress:
    """What was counted when something was seen first, when that was, and when everything was there."""

    total: int
    first_count: int
    first_seen: float
    done: float

    @property
    def rate(self) -> float:
        """From the first commit to the last, in things a second. What the first commit brought does not count."""
        return (self.total - self.first_count) / (self.done - self.first_seen)


def watch(
    corner: Corner,
    count: str,
    total: int,
    deadline_seconds: float,
    alive: Callable[[], None] = lambda: None,
    before_seconds: float = 0.005,
) -> Progress:
    """Watches the count that the SQL gives until it reaches the total.

    `alive` is asked now and then and raises when there is nothing to wait for. Raises `TooSlow`.
    """
    deadline = time.monotonic() + deadline_seconds
    connection = corner.connect()
    try:
        with connection.cursor() as cursor:

            def look() -> int:
                if time.monotonic() > deadline:
                    raise TooSlow(f"Not all {total:,} within {deadline_seconds:g} s: {count}")
                cursor.execute(count)
                return int(cursor.fetchone()[0])

            return _watch(look, total, alive, before_seconds)
    finally:
        connection.close()


def _watch(look: Callable[[], int], total: int, alive: Callable[[], None], before_seconds: float) -> Progress:
    next_question = 0.0
    while not (seen := look()):
        if time.monotonic() > next_question:
            alive()
            next_question = time.monotonic() + 1
        time.sleep(before_seconds)
    first_count, first_seen = seen, time.monotonic()
    while seen < total:
        elapsed = time.monotonic() - first_seen
        rate = (seen - first_count) / elapsed if seen > first_count else 0
        half_way = (total - seen) / rate / 2 if rate else 0.05
        time.sleep(min(max(half_way, _SHORTEST_SECONDS), _LONGEST_SECONDS))
        alive()
        seen = look()
    return Progress(total, first_count, first_seen, time.monotonic())
