"""Converts meter readings to kWh."""

import math
from typing import Any, Final

UNREAD: Final = -1
_CEILING_WH: Final = 1e12


def kwh(reading: Any) -> Any:
    """Converts a reading in Wh to kWh.

    What is no number stays as it is, and so does -1, which stations write for a register they could not read:
    whoever validates the message names it.
    """
    value = _number(reading)
    if value is None or value == UNREAD:
        return reading
    return value / 1000


def moved_kwh(start: Any, stop: Any) -> float | None:
    """Returns how far a register moved between two readings in Wh.

    None while either is missing, unread or absurd.
    """
    first, last = _number(start), _number(stop)
    if first is None or last is None or not (0 <= first < _CEILING_WH and 0 <= last < _CEILING_WH):
        return None
    return (last - first) / 1000


def _number(reading: Any) -> float | None:
    try:
        value = float(reading)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None
