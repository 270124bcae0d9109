"""Finds what is wrong with the times of a usage record.

They are compared with each other and with the time of reception.
"""

from datetime import datetime, timedelta

from domain.field.fault import EARLIEST_PLAUSIBLE_YEAR
from domain.field.usage import UsageRecord

_CLOCK_TOLERANCE = timedelta(minutes=10)
# Records that are a few hours and minutes late are common, so a clock counts as local only if it fits this well.
_LIVE = timedelta(minutes=2)
_NEAREST_OFFSET = timedelta(minutes=30)
_QUARTER = timedelta(minutes=15)
# Every offset from UTC in use, in minutes (tz database, 2025): whole hours, and those with a half or a quarter.
_OFFSETS = frozenset(60 * hours for hours in range(-12, 15) if hours) | {
    -570, -210, 210, 270, 330, 345, 390, 525, 570, 630, 765,
}  # fmt: skip
_FARTHEST_OFFSET = timedelta(hours=14) + _LIVE


def implausible(time: datetime | None) -> bool:
    """Checks whether the time lies before there were charging spots to speak of."""
    return time is not None and time.year < EARLIEST_PLAUSIBLE_YEAR


def in_future(record: UsageRecord) -> bool:
    """Checks whether the session began or ended after its record was received."""
    start, end, received = record.started_at, record.ended_at, record.received_at
    ahead = (start is not None and start - received > _CLOCK_TOLERANCE) or (
        end is not None and end - received > _CLOCK_TOLERANCE
    )
    return ahead and not local_time(record)


def local_time(record: UsageRecord) -> bool:
    """Checks whether the end differs from its reception by a time zone's offset.

    That is found only where the record was received as it was made. An end after its reception proves it; one
    before may be an old session, so the time of the message, where it has one, must be that of reception.
    """
    end, recorded, received = record.ended_at, record.recorded_at, record.received_at
    if end is None or not _fits_an_offset(end - received) or implausible(end):
        return False
    return end > received or (recorded != received and abs(recorded - received) <= _LIVE)


def recorded_before_end(record: UsageRecord) -> bool:
    """Checks whether the record was made before the end that it states.

    An end yet to come is compared with its reception instead.
    """
    end, recorded, received = record.ended_at, record.recorded_at, record.received_at
    if end is None or end - recorded <= _CLOCK_TOLERANCE:
        return False
    return recorded != received and end - received <= _CLOCK_TOLERANCE


def _fits_an_offset(off: timedelta) -> bool:
    if not _NEAREST_OFFSET <= abs(off) <= _FARTHEST_OFFSET:
        return False
    quarters = round(off / _QUARTER)
    return 15 * quarters in _OFFSETS and abs(off - quarters * _QUARTER) <= _LIVE
