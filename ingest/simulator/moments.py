"""Moments and time spans of simulated time, in whole milliseconds, since 1970 for moments."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from domain.errors import SetupError

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smhdw])")
_LONGEST: Final = 100 * 366 * DAY
# Formatting times is a tenth of the work of a stream, so they are assembled from precomputed parts.
_SECONDS: Final = tuple(f"{second:02}." for second in range(60))
_MILLISECONDS: Final = tuple(f"{millisecond:03}Z" for millisecond in range(SECOND))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def span(text: str, where: str) -> int:
    """Parses a span like `90s`, `5m`, `1h30m`, `2d` to milliseconds.

    Raises `SetupError`, which begins with `where`.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise SetupError(f"{where}: {text!r} is no span of time; write it like 90s, 5m, 1h30m or 2d.")
    length = sum(round(float(number) * _UNITS[unit]) for number, unit in parts)
    if length > _LONGEST:
        raise SetupError(f"{where}: {text} is longer than a century.")
    return length


def moment(text: str, where: str) -> datetime:
    """Parses an RFC 3339 moment; without an offset it is UTC. Raises `SetupError`, which begins with `where`."""
    try:
        stated = datetime.fromisoformat(text)
    except ValueError:
        stated = None
    if stated is None or not 1990 <= stated.year <= 2200:
        raise SetupError(f"{where}: {text!r} is no moment from 1990 to 2200; write it like 2026-03-02T00:00:00Z.")
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def rfc3339(at: int) -> str:
    """Formats a moment in UTC, to the millisecond."""
    minute, rest = divmod(at, MINUTE)
    return _minute(minute) + _SECONDS[rest // SECOND] + _MILLISECONDS[rest % SECOND]


@lru_cache(maxsize=4096)
def _minute(minute: int) -> str:
    return f"{_EPOCH + timedelta(minutes=minute):%Y-%m-%dT%H:%M:}"
