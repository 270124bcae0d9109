"""The meter judged: what a usage record's own figures reveal.

What shows only beside other sessions or against the spot's own power is in `domain.history`.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from domain import session_times
from domain.usage import UsageRecord

NEGATIVE_ENERGY: Final = "NEGATIVE_ENERGY"
ENERGY_UNKNOWN: Final = "ENERGY_UNKNOWN"
ENERGY_MISSING: Final = "ENERGY_MISSING"
ZERO_ENERGY: Final = "ZERO_ENERGY"
REGISTER_UNKNOWN: Final = "REGISTER_UNKNOWN"
REGISTER_FELL_BACK: Final = "REGISTER_FELL_BACK"
REGISTERS_DISAGREE: Final = "REGISTERS_DISAGREE"
PERIODS_DISAGREE: Final = "PERIODS_DISAGREE"
UNIT_SLIP: Final = "UNIT_SLIP"
POWER_IMPLAUSIBLE: Final = "POWER_IMPLAUSIBLE"
BATTERY_EXCEEDED: Final = "BATTERY_EXCEEDED"
END_MISSING: Final = "END_MISSING"
END_BEFORE_START: Final = "END_BEFORE_START"
TIME_IMPLAUSIBLE: Final = "TIME_IMPLAUSIBLE"
TIME_IN_FUTURE: Final = "TIME_IN_FUTURE"
LOCAL_TIME_AS_UTC: Final = "LOCAL_TIME_AS_UTC"
RECORDED_BEFORE_END: Final = "RECORDED_BEFORE_END"
OVER_24_HOURS: Final = "OVER_24_HOURS"
VALUE_UNREADABLE: Final = "VALUE_UNREADABLE"

REGISTER_TOLERANCE_KWH: Final = 0.05
# Many sources tell times in whole minutes, so a session of none may have taken one.
SHORTEST_HOURS: Final = 1 / 60

# No car takes more power than this today (the Megawatt Charging System is for lorries, up to 3.75 MW), and no
# vehicle on the road has a larger battery.
_HIGHEST_CAR_POWER_KW = 400.0
_LARGEST_BATTERY_KWH = 1000.0
_REGISTER_CEILING_KWH = 1e9
_LONG_SESSION_HOURS = 1.0
# How stations write a figure that they do not have: -1, and 2^63-1 as it is or taken for Wh.
_UNREAD = -1.0
_INT64_MAX = (float(2**63 - 1), float(2**63 - 1) / 1000)
_UNIT = 1000.0
_UNIT_TOLERANCE = 0.02
# No car charges with less than 6 A: what a unit slip has hidden is at least about that.
_LOWEST_CAR_POWER_KW = 1.0


def register_known(value: float | None) -> bool:
    """Whether a register was read: stations write -1 or 2^63-1 for one that they could not read."""
    return value is not None and 0 <= value < _REGISTER_CEILING_KWH


def _moved(record: UsageRecord) -> float | None:
    """How far the register moved, kWh; None while either end is unknown."""
    start, stop = record.meter_start_kwh, record.meter_stop_kwh
    if start is None or stop is None or not (register_known(start) and register_known(stop)):
        return None
    return stop - start


def _energy(record: UsageRecord) -> float | None:
    """The energy on record unless it is one of the ways to say "unknown"."""
    return None if _unknown_energy(record) else record.energy_kwh


def _unknown_energy(record: UsageRecord) -> bool:
    energy = record.energy_kwh
    if energy is None:
        return False
    # Registers that fell back by just 1 kWh say that -1 is meant.
    if energy == _UNREAD:
        return _moved(record) != _UNREAD
    return energy > _REGISTER_CEILING_KWH and any(
        math.isclose(energy, limit, rel_tol=1e-6) for limit in _INT64_MAX
    )


def _fell_back(record: UsageRecord) -> bool:
    moved = _moved(record)
    return moved is not None and moved < 0


def _disagree(record: UsageRecord) -> bool:
    return _differs(record, _moved(record))


def _periods_disagree(record: UsageRecord) -> bool:
    """Only once the session is over: until then the energy may be told before the period that it belongs to."""
    return record.ended_at is not None and _differs(record, record.periods_kwh)


def _differs(record: UsageRecord, measured: float | None) -> bool:
    energy = _energy(record)
    if measured is None or energy is None:
        return False
    return abs(measured - energy) > REGISTER_TOLERANCE_KWH + 0.01 * abs(energy)


def _power_kw(record: UsageRecord, energy: float) -> float | None:
    hours = record.hours
    return None if hours is None or hours < 0 else energy / max(hours, SHORTEST_HOURS)


def _too_much_power(record: UsageRecord) -> bool:
    energy = _energy(record)
    power = None if energy is None else _power_kw(record, energy)
    return power is not None and power > _HIGHEST_CAR_POWER_KW


def _too_much_energy(record: UsageRecord) -> bool:
    energy = _energy(record)
    return energy is not None and energy > _LARGEST_BATTERY_KWH


def _unit_slip(record: UsageRecord) -> bool:
    """Wh taken for kWh, or the reverse: the registers moved a thousand times as far as the energy says, or a
    thousandth, or its periods add up to that; or energy that cannot be, in kWh, could well be in Wh.

    Energy that is too small shows it by the registers alone: a car that is full takes next to nothing.
    """
    if record.samples and _samples_slip(record):
        return True
    energy = _energy(record)
    if energy is None or energy <= 0:
        return False
    if others := [measured for _, measured in _otherwise(record)]:
        return any(_is_slip(energy, measured) for measured in others)
    return _only_as_watt_hours(record, energy)


def _samples_slip(record: UsageRecord) -> bool:
    """Whether the last sample of the register is a thousand times as high as where it stopped, or a thousandth."""
    stop, sampled = record.meter_stop_kwh, _last_sample(record)
    if stop is None or not register_known(stop) or not sampled or sampled < 0:
        return False
    return any(math.isclose(stop / sampled, slip, rel_tol=_UNIT_TOLERANCE) for slip in (_UNIT, 1 / _UNIT))


def _last_sample(record: UsageRecord) -> float | None:
    readings = (sample.get("register_kwh") for sample in reversed(record.samples))
    return next((float(value) for value in readings if isinstance(value, int | float)), None)


def _otherwise(record: UsageRecord) -> list[tuple[str, float]]:
    """What else in the record tells its energy, and tells another: how it does so, and the energy it gives."""
    moved, periods = _moved(record), record.periods_kwh
    told = []
    if moved is not None and _disagree(record):
        told.append(("registers moved", moved))
    if periods is not None and _periods_disagree(record):
        told.append(("periods add up to", periods))
    return told


def _is_slip(energy: float, measured: float) -> bool:
    ratio = energy / measured if measured > 0 else 0.0
    return any(math.isclose(ratio, slip, rel_tol=_UNIT_TOLERANCE) for slip in (_UNIT, 1 / _UNIT))


def _only_as_watt_hours(record: UsageRecord, energy: float) -> bool:
    if not (_too_much_power(record) or _too_much_energy(record)):
        return False
    power = _power_kw(record, energy)
    if power is None or energy / _UNIT > _LARGEST_BATTERY_KWH:
        return False
    return _LOWEST_CAR_POWER_KW <= power / _UNIT <= _HIGHEST_CAR_POWER_KW


def _unknown_register(record: UsageRecord) -> bool:
    start, stop = record.meter_start_kwh, record.meter_stop_kwh
    return not ((start is None or register_known(start)) and (stop is None or register_known(stop)))


def findings(record: UsageRecord) -> list[str]:
    """Names of everything wrong with the record on its own, in a fixed order; empty when nothing is."""
    return [name for name, (holds, _) in _FINDINGS.items() if holds(record)]


def describe(record: UsageRecord, finding: str) -> str:
    """One sentence a reviewer can check against the record."""
    return f"{session(record)} {_FINDINGS[finding][1](record)}."


def session(record: UsageRecord) -> str:
    """The session by its name, connector and times, to begin a sentence with."""
    when = f"{minute(record.started_at)} to {minute(record.ended_at)}"
    return f"Session {record.session_id} (connector {record.connector_id}, {when} UTC)"


def minute(moment: datetime | None) -> str:
    """A time for people to read, UTC, unless nobody stated it."""
    if moment is None:
        return "unknown"
    # At the ends of the calendar an offset would lead out of it.
    offset = None if moment.year in (1, 9999) else moment.utcoffset()
    return f"{moment - (offset or timedelta(0)):%Y-%m-%d %H:%M}"


def kwh(value: float | None) -> str:
    """Energy or a register for people to read, to the watt hour, without its unit."""
    if value is None:
        return "no"
    text = f"{value:g}" if abs(value) >= 1e15 else f"{value:.3f}".rstrip("0").rstrip(".")
    return f"{value:g}" if text in ("0", "-0") else text


def _registers(record: UsageRecord) -> str:
    return f"{kwh(record.meter_start_kwh)} to {kwh(record.meter_stop_kwh)} kWh"


def _slip(record: UsageRecord) -> str:
    if record.samples and _samples_slip(record):
        return f"stopped at {kwh(record.meter_stop_kwh)} kWh, and was last read at {kwh(_last_sample(record))} kWh"
    energy = record.energy_kwh or 0.0
    for tells, measured in _otherwise(record):
        if _is_slip(energy, measured):
            times = "a thousand times as much" if energy > measured else "a thousandth of it"
            return f"recorded {kwh(energy)} kWh while its {tells} {kwh(measured)} kWh: {times}"
    return f"recorded {kwh(energy)} kWh, which cannot be; {kwh(energy / _UNIT)} kWh could: Wh taken for kWh"


def _off(record: UsageRecord) -> str:
    seconds = 0.0 if record.ended_at is None else (record.ended_at - record.received_at).total_seconds()
    return f"{abs(seconds) / 3600:.1f} hours {'after' if seconds > 0 else 'before'} its record came"


_Judge = Callable[[UsageRecord], bool]
_Clause = Callable[[UsageRecord], str]

_FINDINGS: Final[dict[str, tuple[_Judge, _Clause]]] = {
    NEGATIVE_ENERGY: (
        lambda r: (_energy(r) or 0) < 0,
        lambda r: f"recorded {kwh(r.energy_kwh)} kWh: negative energy cannot be",
    ),
    ENERGY_UNKNOWN: (_unknown_energy, lambda r: f"recorded {kwh(r.energy_kwh)} kWh, which stands for unknown"),
    ENERGY_MISSING: (
        lambda r: r.energy_kwh is None and r.ended_at is not None,
        lambda r: "ended without any energy on record",
    ),
    ZERO_ENERGY: (
        lambda r: r.energy_kwh == 0 and (r.hours or 0) >= _LONG_SESSION_HOURS,
        lambda r: f"recorded 0 kWh over {r.hours or 0:.1f} hours",
    ),
    REGISTER_UNKNOWN: (_unknown_register, lambda r: f"has a register that was not read ({_registers(r)})"),
    REGISTER_FELL_BACK: (_fell_back, lambda r: f"ended with its register lower than it began: {_registers(r)}"),
    REGISTERS_DISAGREE: (
        _disagree,
        lambda r: f"recorded {kwh(r.energy_kwh)} kWh while its registers moved {kwh(_moved(r))} kWh",
    ),
    PERIODS_DISAGREE: (
        _periods_disagree,
        lambda r: f"recorded {kwh(r.energy_kwh)} kWh while its periods add up to {kwh(r.periods_kwh)} kWh",
    ),
    UNIT_SLIP: (_unit_slip, _slip),
    POWER_IMPLAUSIBLE: (
        _too_much_power,
        lambda r: f"recorded {kwh(r.energy_kwh)} kWh in {r.hours or 0:.2f} hours: more power than any car takes",
    ),
    BATTERY_EXCEEDED: (
        _too_much_energy,
        lambda r: f"recorded {kwh(r.energy_kwh)} kWh: more than any battery on the road holds",
    ),
    END_MISSING: (lambda r: r.ended_at is None and not r.under_way, lambda r: "has no end"),
    END_BEFORE_START: (lambda r: r.hours is not None and r.hours < 0, lambda r: "ends before it starts"),
    TIME_IMPLAUSIBLE: (
        lambda r: session_times.implausible(r.started_at) or session_times.implausible(r.ended_at),
        lambda r: "carries an impossible date",
    ),
    TIME_IN_FUTURE: (
        session_times.in_future,
        lambda r: f"lies in the future of its record, which came at {minute(r.received_at)} UTC",
    ),
    LOCAL_TIME_AS_UTC: (
        session_times.local_time,
        lambda r: f"ended {_off(r)}, as far as a time zone lies from UTC: local time told as UTC",
    ),
    RECORDED_BEFORE_END: (
        session_times.recorded_before_end,
        lambda r: f"was recorded at {minute(r.recorded_at)} UTC, before the end that it states",
    ),
    OVER_24_HOURS: (
        lambda r: r.hours is not None and r.hours > 24,
        lambda r: f"lasted {r.hours or 0:.1f} hours",
    ),
    VALUE_UNREADABLE: (
        lambda r: bool(r.samples) and any("unreadable" in sample for sample in r.samples),
        lambda r: "came with a value that could not be read",
    ),
}
