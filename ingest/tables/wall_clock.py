"""Converts local wall-clock times to moments, across clock changes. Source: PEP 495, PEP 615."""

from datetime import datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Returns the zone of an IANA name. Raises `ValueError` for an unknown name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name[:64]!r} is no IANA time zone") from None


def moment(time: datetime, local: tzinfo) -> datetime:
    """Adds the local offset to a time; one that states an offset keeps it.

    A time that occurs twice is read as the first, one that a change skipped with the offset before that change.
    """
    return time if time.tzinfo else time.replace(tzinfo=local, fold=0)


def end(time: datetime, local: tzinfo, start: datetime | None) -> datetime:
    """Adds the local offset to the end of a session that began at `start`.

    As `moment`, but a time that occurs twice is read as the second where the first lies before the start.
    """
    first = moment(time, local)
    # The common case, since looking up offsets is expensive.
    if start is None or (first.tzinfo is start.tzinfo and first >= start):
        return first
    second = first.replace(fold=1)
    comes_twice = first.utcoffset() != second.utcoffset()
    if comes_twice and first.timestamp() < start.timestamp() <= second.timestamp():
        return second
    return first
