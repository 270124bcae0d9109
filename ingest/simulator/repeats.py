"""How reports arrive: mostly at once, some much later, some twice.

Everything follows from the luck of the report, so that the arrival of one report never changes that of another.
"""

from typing import Final

from ingest.simulator.moments import HOUR, MINUTE, SECOND

_LATE: Final = 0.02
_TWICE: Final = 0.98
_LATE_AT_LEAST: Final = 8 * MINUTE
_LATEST: Final = 48 * HOUR
_SOONEST_AGAIN: Final = 10 * SECOND
_AGAIN_WITHIN: Final = 3 * MINUTE


def arrivals(at: int, luck: float) -> list[int]:
    """Returns when a report that is made at `at` arrives. Once, or twice where its sender got no answer."""
    if luck < _LATE:
        return [at + _lateness(luck)]
    first = at + int((0.1 + 2.4 * luck) * SECOND)
    if luck < _TWICE:
        return [first]
    rest = (luck - _TWICE) / (1 - _TWICE)
    return [first, first + _SOONEST_AGAIN + int(rest * _AGAIN_WITHIN)]


def _lateness(luck: float) -> int:
    """Returns the delay of a sender that was offline.

    Half of them are offline for less than about a quarter of an hour, a few for days.
    """
    return min(int(_LATE_AT_LEAST * _LATE / max(luck, 1e-9)), _LATEST)
