"""The meter judged: what a usage record's own figures reveal.

What shows only beside other sessions or against the spot's own power is in `domain.history`.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from domain.usage import UsageRecord

NEGATIVE_ENERGY: Final = "NEGATIVE_ENERGY"
ENERGY_UNKNOWN: Final = "ENERGY_UNKNOWN"
ENERGY_MISSING: Final = "ENERGY_MISSING"
ZERO_ENERGY: Final = "ZERO_ENERGY"
REGISTER_UNKNOWN: Final = "REGISTER_UNKNOWN"
REGISTER_FELL_BACK: Final = "REGISTER_FELL_BACK"
REGISTERS_DISAGREE: Final = "REGISTERS_DISAGREE"
UNIT_SLIP: Final = "UNIT_SLIP"
POWER_IMPLAUSIBLE: Final = "POWER_IMPLAUSIBLE"
BATTERY_EXCEEDED: Final = "BATTERY_EXCEEDED"
END_MISSING: Final = "END_MISSING"
END_BEFORE_START: Final = "END_BEFORE_START"
TIME_IMPLAUSIBLE: Final = "TIME_IMPLAUSIBLE"
TIME_IN_FUTURE: Final = "TIME_IN_FUTURE"
LOCAL_TIME_AS_UTC: Final = "LOCAL_TIME_AS_UTC"
OVER_24_HOURS: Final = "OVER_24_HOURS"
VALUE_UNREADABLE: Final = "VALUE_UNREADABLE"

REGISTER_TOLERANCE_KWH: Final = 0.05
# Many sources tell times in whole minutes, so a session of none may have taken one.
SHORTEST_HOURS: Final = 1 / 60

# No car takes more power than this today (the Megawatt Charging System is for lorries, up to 3.75 MW), and no
# vehicle on the road has a larger battery.
_HIGHEST_CAR_POWER_KW = 400.0
_LARGEST_BATTERY_KWH = 1000.0
_EARLIEST_PLAUSIBLE_YEAR = 2010
_REGISTER_CEILING_KWH = 1e9
_LONG_SESSION_HOURS = 1.0
# How stations write a figure that they do not have: -1, and 2^63-1 as it is or taken for Wh.
_UNREAD = -1.0
_INT64_MAX = (float(2**63 - 1), float(2**63 - 1) / 1000)
_UNIT = 1000.0
_UNIT_TOLERANCE = 0.02
# No car charges with less than 6 A: what a unit slip has hidden is at least about that.
_LOWEST_CAR_POWER_KW = 1.0

_CLOCK_TOLERANCE = timedelta(minutes=10)
# Late by a few hours and minutes is common, so a clock is called local only when it fits this well.
_LIVE = timedelta(minutes=2)
# Every offset from UTC in use, in minutes (tz database, 2025): whole hours, and those with a half or a quarter.
_OFFSETS = frozenset(60 * hours for hours in range(-12, 15) if hours) | {
    -570, -210, 210, 270, 330, 345, 390, 525, 570, 630, 765,
}  # fmt: skip


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
    return any(math.isclose(energy, limit, rel_tol=1e-6) for limit in _INT64_MAX)


def _fell_back(record: UsageRecord) -> bool:
    moved = _moved(record)
    return moved is not None and moved < 0


def _disagree(record: UsageRecord) -> bool:
    moved, energy = _moved(record), _energy(record)
    if moved is None or energy is None:
        return False
    return abs(moved - energy) > REGISTER_TOLERANCE_KWH + 0.01 * abs(energy)


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
    thousandth; or energy that cannot be, in kWh, could well be in Wh.

    Energy that is too small shows it by the registers alone: a car that is full takes next to nothing.
    """
    if record.samples and _samples_slip(record):
        return True
    moved, energy = _moved(record), _energy(record)
    if energy is None or energy <= 0:
        return False
    if moved is not None and moved > 0 and not _disagree(record):
        moved = None
    if moved is not None:
        ratio = energy / moved if moved > 0 else 0.0
        return any(math.isclose(ratio, slip, rel_tol=_UNIT_TOLERANCE) for slip in (_UNIT, 1 / _UNIT))
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


def _only_as_watt_hours(record: UsageRecord, energy: float) -> bool:
    if not (_too_much_power(record) or _too_much_energy(record)):
        return False
    power = _power_kw(record, energy)
    if power is None or energy / _UNIT > _LARGEST_BATTERY_KWH:
        return False
    return _LOWEST_CAR_POWER_KW <= power / _UNIT <= _HIGHEST_CAR_POWER_KW


def _unknown_register(record: UsageRecord) -> bool:
    registers = (record.meter_start_kwh, record.meter_stop_kwh)
    return any(value is not None and not register_known(value) for value in registers)


def _implausible(time: datetime | None) -> bool:
    return time is not None and time.year < _EARLIEST_PLAUSIBLE_YEAR


def _in_future(record: UsageRecord) -> bool:
    times = (record.started_at, record.ended_at)
    ahead = any(time is not None and time - record.received_at > _CLOCK_TOLERANCE for time in times)
    return ahead and not _local_time(record)


def _local_time(record: UsageRecord) -> bool:
    """Whether the end lies as far from its reception as a time zone from UTC.

    Told only where the record was received as it was made. An end after its reception is proof of that by itself;
    one before may be an old session, so the time of the message, where it has one, must be that of reception.
    """
    if record.ended_at is None or _implausible(record.ended_at):
        return False
    off = record.ended_at - record.received_at
    if abs(off) < timedelta(minutes=30) or not _fits_an_offset(off):
        return False
    said_at = record.recorded_at - record.received_at
    return off > timedelta(0) or (record.recorded_at != record.received_at and abs(said_at) <= _LIVE)


def _fits_an_offset(off: timedelta) -> bool:
    minutes = round(off / timedelta(minutes=15)) * 15
    return minutes in _OFFSETS and abs(off - timedelta(minutes=minutes)) <= _LIVE


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
    energy, moved = record.energy_kwh or 0.0, _moved(record)
    if moved is not None and _disagree(record):
        times = "a thousand times as much" if energy > moved else "a thousandth of it"
        return f"recorded {kwh(energy)} kWh while its registers moved {kwh(moved)} kWh: {times}"
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
    UNIT_SLIP: (_unit_slip, _slip),
    POWER_IMPLAUSIBLE: (
        _too_much_power,
        lambda r: f"recorded {kwh(r.energy_kwh)} kWh in {r.hours or 0:.2f} hours: more power than any car takes",
    ),
    BATTERY_EXCEEDED: (
        _too_much_energy,
        lambda r: f"recorded {kwh(r.energy_kwh)} kWh: more than any battery on the road holds",
    ),
    END_MISSING: (lambda r: r.ended_at is None, lambda r: "has no end"),
    END_BEFORE_START: (lambda r: r.hours is not None and r.hours < 0, lambda r: "ends before it starts"),
    TIME_IMPLAUSIBLE: (
        lambda r: _implausible(r.started_at) or _implausible(r.ended_at),
        lambda r: "carries an impossible date",
    ),
    TIME_IN_FUTURE: (
        _in_future,
        lambda r: f"lies in the future of its record, which came at {minute(r.received_at)} UTC",
    ),
    LOCAL_TIME_AS_UTC: (
        _local_time,
        lambda r: f"ended {_off(r)}, as far as a time zone lies from UTC: local time told as UTC",
    ),
    OVER_24_HOURS: (
        lambda r: r.hours is not None and r.hours > 24,
        lambda r: f"lasted {r.hours or 0:.1f} hours",
    ),
    VALUE_UNREADABLE: (
        lambda r: any("unreadable" in sample for sample in r.samples),
        lambda r: "came with a value that could not be read",
    ),
}
