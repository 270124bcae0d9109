"""Converts meter readings to kWh."""

import math
from typing import Any, Final

UNREAD: Final = -1
_CEILING_KWH: Final = 1e9


def kwh(reading: Any) -> Any:
    """Converts a reading in Wh to kWh.

    What is no number stays as it is, and so does -1, which stations write for a register they could not read:
    whoever validates the message names it.
    """
    value = _number(reading)
    if value is None or value == UNREAD:
        return reading
    return value / 1000


def moved_kwh(start: float | None, stop: float | None) -> float | None:
    """Returns how far a register moved between two readings in kWh, to the milliwatt hour.

    None while either is missing, unread or absurd.
    """
    if start is None or stop is None or not (0 <= start < _CEILING_KWH and 0 <= stop < _CEILING_KWH):
        return None
    return round(stop - start, 6)


def _number(reading: Any) -> float | None:
    try:
        value = float(reading)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None
