"""The meter judged: what a usage record's own figures reveal."""

from collections.abc import Callable
from typing import Final

from domain.usage import UsageRecord

NEGATIVE_ENERGY: Final = "NEGATIVE_ENERGY"
ENERGY_MISSING: Final = "ENERGY_MISSING"
ZERO_ENERGY: Final = "ZERO_ENERGY"
REGISTER_UNKNOWN: Final = "REGISTER_UNKNOWN"
REGISTER_FELL_BACK: Final = "REGISTER_FELL_BACK"
REGISTERS_DISAGREE: Final = "REGISTERS_DISAGREE"
POWER_IMPLAUSIBLE: Final = "POWER_IMPLAUSIBLE"
END_MISSING: Final = "END_MISSING"
END_BEFORE_START: Final = "END_BEFORE_START"
TIME_IMPLAUSIBLE: Final = "TIME_IMPLAUSIBLE"
OVER_24_HOURS: Final = "OVER_24_HOURS"

# No car takes more than this today (the Megawatt Charging System is for lorries, up to 3.75 MW).
_HIGHEST_CAR_POWER_KW = 400.0
_REGISTER_TOLERANCE_KWH = 0.05
_EARLIEST_PLAUSIBLE_YEAR = 2010
_REGISTER_CEILING_KWH = 1e9
_LONG_SESSION_HOURS = 1.0


def _register_known(value: float | None) -> bool:
    """Stations write -1 or 2^63-1 for a register they could not read."""
    return value is not None and 0 <= value < _REGISTER_CEILING_KWH


def _moved(record: UsageRecord) -> float | None:
    """How far the register moved, kWh; None while either end is unknown."""
    start, stop = record.meter_start_kwh, record.meter_stop_kwh
    if start is None or stop is None or not (_register_known(start) and _register_known(stop)):
        return None
    return stop - start


def _fell_back(record: UsageRecord) -> bool:
    moved = _moved(record)
    return moved is not None and moved < 0


def _disagree(record: UsageRecord) -> bool:
    moved, energy = _moved(record), record.energy_kwh
    if moved is None or energy is None:
        return False
    return abs(moved - energy) > _REGISTER_TOLERANCE_KWH + 0.01 * abs(energy)


def _too_much_power(record: UsageRecord) -> bool:
    hours = record.hours
    if record.energy_kwh is None or hours is None or hours <= 0:
        return False
    return record.energy_kwh / hours > _HIGHEST_CAR_POWER_KW


def _unknown_register(record: UsageRecord) -> bool:
    registers = (record.meter_start_kwh, record.meter_stop_kwh)
    return any(value is not None and not _register_known(value) for value in registers)


def _implausible_time(record: UsageRecord) -> bool:
    times = (record.started_at, record.ended_at)
    return any(time is not None and time.year < _EARLIEST_PLAUSIBLE_YEAR for time in times)


_FINDINGS: tuple[tuple[str, Callable[[UsageRecord], bool]], ...] = (
    (NEGATIVE_ENERGY, lambda r: r.energy_kwh is not None and r.energy_kwh < 0),
    (ENERGY_MISSING, lambda r: r.energy_kwh is None and r.ended_at is not None),
    (ZERO_ENERGY, lambda r: r.energy_kwh == 0 and (r.hours or 0) >= _LONG_SESSION_HOURS),
    (REGISTER_UNKNOWN, _unknown_register),
    (REGISTER_FELL_BACK, _fell_back),
    (REGISTERS_DISAGREE, _disagree),
    (POWER_IMPLAUSIBLE, _too_much_power),
    (END_MISSING, lambda r: r.ended_at is None),
    (END_BEFORE_START, lambda r: r.hours is not None and r.hours < 0),
    (TIME_IMPLAUSIBLE, _implausible_time),
    (OVER_24_HOURS, lambda r: r.hours is not None and r.hours > 24),
)


def findings(record: UsageRecord) -> list[str]:
    """Names of everything wrong with the record on its own, in a fixed order; empty when nothing is."""
    return [name for name, holds in _FINDINGS if holds(record)]


def describe(record: UsageRecord, finding: str) -> str:
    """One sentence a reviewer can check against the record."""
    when = f"{_minute(record.started_at)} to {_minute(record.ended_at)}"
    session = f"Session {record.session_id} (connector {record.connector_id}, {when} UTC)"
    return f"{session} {_CLAUSES[finding](record)}."


def _minute(moment: object) -> str:
    return "unknown" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _kwh(value: float | None) -> str:
    return "no" if value is None else f"{value:g}"


_CLAUSES: dict[str, Callable[[UsageRecord], str]] = {
    NEGATIVE_ENERGY: lambda r: f"recorded {_kwh(r.energy_kwh)} kWh: negative energy cannot be",
    ENERGY_MISSING: lambda r: "ended without any energy on record",
    ZERO_ENERGY: lambda r: f"recorded 0 kWh over {r.hours or 0:.1f} hours",
    REGISTER_UNKNOWN: lambda r: (
        f"has a register that was not read ({_kwh(r.meter_start_kwh)} to {_kwh(r.meter_stop_kwh)} kWh)"
    ),
    REGISTER_FELL_BACK: lambda r: (
        f"ended with its register lower than it began: {_kwh(r.meter_start_kwh)} to {_kwh(r.meter_stop_kwh)} kWh"
    ),
    REGISTERS_DISAGREE: lambda r: (
        f"recorded {_kwh(r.energy_kwh)} kWh while its registers moved {_kwh(_moved(r))} kWh"
    ),
    POWER_IMPLAUSIBLE: lambda r: (
        f"recorded {_kwh(r.energy_kwh)} kWh in {r.hours or 0:.2f} hours: more power than any car takes"
    ),
    END_MISSING: lambda r: "has no end",
    END_BEFORE_START: lambda r: "ends before it starts",
    TIME_IMPLAUSIBLE: lambda r: "carries an impossible date",
    OVER_24_HOURS: lambda r: f"lasted {r.hours or 0:.1f} hours",
}
