"""Finds what is wrong with a usage record by its own figures.

What shows only beside other sessions or against the spot's power is in `domain.eligibility.session_findings`.
"""

import math
from collections.abc import Callable
from typing import Final

from domain.eligibility import sample_findings, time_findings
from domain.eligibility.wording import kwh, minute, session
from domain.field.usage import UsageRecord

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
FINAL_RECORDS_DISAGREE: Final = "FINAL_RECORDS_DISAGREE"

REGISTER_TOLERANCE_KWH: Final = 0.05
# Many sources state times in whole minutes, so a session of none may have taken one.
SHORTEST_HOURS: Final = 1 / 60

# No car takes more power than this today (the Megawatt Charging System is for lorries, up to 3.75 MW), and no
# vehicle on the road has a larger battery.
_HIGHEST_CAR_POWER_KW = 400.0
_LARGEST_BATTERY_KWH = 1000.0
_LONG_SESSION_HOURS = 1.0
# How stations write an unknown figure: -1, and 2^63-1 as it is or taken for Wh.
_UNREAD = -1.0
_INT64_MAX = (float(2**63 - 1), float(2**63 - 1) / 1000)
_UNIT = 1000.0
_UNIT_TOLERANCE = 0.02
# No car charges with less than 6 A: what a unit slip has hidden is at least about that.
_LOWEST_CAR_POWER_KW = 1.0


def register_known(value: float | None) -> bool:
    """Checks whether a register was read; stations write -1 or 2^63-1 otherwise."""
    return value is not None and 0 <= value < sample_findings.CEILING_KWH


def moved(record: UsageRecord) -> float | None:
    """Returns how far the register moved, kWh; None while either end is unknown."""
    start, stop = record.meter_start_kwh, record.meter_stop_kwh
    if start is None or stop is None or not (register_known(start) and register_known(stop)):
        return None
    return stop - start


def _unknown_energy(record: UsageRecord, by_register: float | None) -> bool:
    energy = record.energy_kwh
    if energy is None:
        return False
    # Registers that fell back by just 1 kWh confirm that -1 is meant.
    if energy == _UNREAD:
        return by_register != _UNREAD
    far = energy > sample_findings.CEILING_KWH
    return far and any(math.isclose(energy, limit, rel_tol=1e-6) for limit in _INT64_MAX)


class _Figures:
    """A record with its derived figures, computed once for all findings: kWh, kW, hours; None if unknown.

    `energy` is that on record unless it is one of the spellings of "unknown".
    """

    __slots__ = ("energy", "energy_unread", "hours", "moved", "power", "record")

    def __init__(self, record: UsageRecord) -> None:
        self.record = record
        self.hours = record.hours
        self.moved = moved(record)
        self.energy_unread = _unknown_energy(record, self.moved)
        self.energy = None if self.energy_unread else record.energy_kwh
        self.power = _power_kw(self.energy, self.hours)


def _power_kw(energy: float | None, hours: float | None) -> float | None:
    return None if energy is None or hours is None or hours < 0 else energy / max(hours, SHORTEST_HOURS)


def _periods_disagree(f: _Figures) -> bool:
    """Checks only a finished session: before that the energy may be stated ahead of its period."""
    return f.record.ended_at is not None and _differs(f, f.record.periods_kwh)


def _differs(f: _Figures, measured: float | None) -> bool:
    if measured is None or f.energy is None:
        return False
    return abs(measured - f.energy) > REGISTER_TOLERANCE_KWH + 0.01 * abs(f.energy)


def _too_much_power(f: _Figures) -> bool:
    return f.power is not None and f.power > _HIGHEST_CAR_POWER_KW


def _too_much_energy(f: _Figures) -> bool:
    return f.energy is not None and f.energy > _LARGEST_BATTERY_KWH


def _unit_slip(f: _Figures) -> bool:
    """Checks whether Wh was taken for kWh, or the reverse.

    Registers, periods or samples give a thousand times the energy, or a thousandth; or energy that is impossible
    in kWh is plausible in Wh. Too little energy alone shows nothing: a car that is full takes next to nothing.
    """
    if f.record.samples and sample_findings.slips(f.record):
        return True
    energy = f.energy
    if energy is None or energy <= 0:
        return False
    if others := _otherwise(f):
        return any(_is_slip(energy, measured) for _, measured in others)
    return _only_as_watt_hours(f, energy)


def _otherwise(f: _Figures) -> list[tuple[str, float]]:
    """Lists what else in the record gives its energy, with another value: the words for it, and that value."""
    others, periods = [], f.record.periods_kwh
    if f.moved is not None and _differs(f, f.moved):
        others.append(("registers moved", f.moved))
    if periods is not None and _periods_disagree(f):
        others.append(("periods add up to", periods))
    return others


def _is_slip(energy: float, measured: float) -> bool:
    ratio = energy / measured if measured > 0 else 0.0
    return any(math.isclose(ratio, slip, rel_tol=_UNIT_TOLERANCE) for slip in (_UNIT, 1 / _UNIT))


def _only_as_watt_hours(f: _Figures, energy: float) -> bool:
    if not (_too_much_power(f) or _too_much_energy(f)) or energy / _UNIT > _LARGEST_BATTERY_KWH:
        return False
    return f.power is not None and _LOWEST_CAR_POWER_KW <= f.power / _UNIT <= _HIGHEST_CAR_POWER_KW


def _unknown_register(f: _Figures) -> bool:
    start, stop = f.record.meter_start_kwh, f.record.meter_stop_kwh
    return not ((start is None or register_known(start)) and (stop is None or register_known(stop)))


def findings(record: UsageRecord) -> list[str]:
    """Names everything wrong with the record on its own, in a fixed order."""
    figures = _Figures(record)
    return [name for name, (holds, _) in _FINDINGS.items() if holds(figures)]


def describe(record: UsageRecord, finding: str) -> str:
    """Describes a finding in a sentence that reviewers can check against the record."""
    return f"{session(record)} {_FINDINGS[finding][1](_Figures(record))}."


def _both_finals(record: UsageRecord) -> str:
    """Lists the energy of both in their order, whichever came last."""
    return " and ".join(kwh(energy) for energy in sorted((record.energy_kwh or 0, record.contradicted_kwh or 0)))


def _registers(f: _Figures) -> str:
    return f"{kwh(f.record.meter_start_kwh)} to {kwh(f.record.meter_stop_kwh)} kWh"


def _slip(f: _Figures) -> str:
    record = f.record
    if record.samples and sample_findings.slips(record):
        return sample_findings.slipped(record)
    energy = record.energy_kwh or 0.0
    for words, measured in _otherwise(f):
        if _is_slip(energy, measured):
            times = "a thousand times as much" if energy > measured else "a thousandth of it"
            return f"recorded {kwh(energy)} kWh while its {words} {kwh(measured)} kWh: {times}"
    return f"recorded {kwh(energy)} kWh, which cannot be; {kwh(energy / _UNIT)} kWh could: Wh taken for kWh"


def _off(record: UsageRecord) -> str:
    seconds = 0.0 if record.ended_at is None else (record.ended_at - record.received_at).total_seconds()
    return f"{abs(seconds) / 3600:.1f} hours {'after' if seconds > 0 else 'before'} its record came"


_Judge = Callable[[_Figures], bool]
_Clause = Callable[[_Figures], str]

_FINDINGS: Final[dict[str, tuple[_Judge, _Clause]]] = {
    NEGATIVE_ENERGY: (
        lambda f: f.energy is not None and f.energy < 0,
        lambda f: f"recorded {kwh(f.record.energy_kwh)} kWh: negative energy cannot be",
    ),
    ENERGY_UNKNOWN: (
        lambda f: f.energy_unread,
        lambda f: f"recorded {kwh(f.record.energy_kwh)} kWh, which stands for unknown",
    ),
    ENERGY_MISSING: (
        lambda f: f.record.energy_kwh is None and not (f.record.ended_at is None and f.record.under_way),
        lambda f: "ended without any energy on record" if f.record.ended_at else "has no energy on record",
    ),
    ZERO_ENERGY: (
        lambda f: f.record.energy_kwh == 0 and (f.hours or 0) >= _LONG_SESSION_HOURS,
        lambda f: f"recorded 0 kWh over {f.hours or 0:.1f} hours",
    ),
    REGISTER_UNKNOWN: (_unknown_register, lambda f: f"has a register that was not read ({_registers(f)})"),
    REGISTER_FELL_BACK: (
        lambda f: f.moved is not None and f.moved < 0,
        lambda f: f"ended with its register lower than it began: {_registers(f)}",
    ),
    REGISTERS_DISAGREE: (
        lambda f: _differs(f, f.moved),
        lambda f: f"recorded {kwh(f.record.energy_kwh)} kWh while its registers moved {kwh(f.moved)} kWh",
    ),
    PERIODS_DISAGREE: (
        _periods_disagree,
        lambda f: (
            f"recorded {kwh(f.record.energy_kwh)} kWh while its periods add up to {kwh(f.record.periods_kwh)} kWh"
        ),
    ),
    sample_findings.REGISTER_FELL_WITHIN: (
        lambda f: sample_findings.fall(f.record) is not None,
        lambda f: sample_findings.fell(f.record),
    ),
    sample_findings.REGISTER_LEAPT: (
        lambda f: sample_findings.leap(f.record) is not None,
        lambda f: sample_findings.leapt(f.record),
    ),
    UNIT_SLIP: (_unit_slip, _slip),
    POWER_IMPLAUSIBLE: (
        _too_much_power,
        lambda f: (
            f"recorded {kwh(f.record.energy_kwh)} kWh in {f.hours or 0:.2f} hours: more power than any car takes"
        ),
    ),
    BATTERY_EXCEEDED: (
        _too_much_energy,
        lambda f: f"recorded {kwh(f.record.energy_kwh)} kWh: more than any battery on the road holds",
    ),
    END_MISSING: (lambda f: f.record.ended_at is None and not f.record.under_way, lambda f: "has no end"),
    END_BEFORE_START: (lambda f: f.hours is not None and f.hours < 0, lambda f: "ends before it starts"),
    TIME_IMPLAUSIBLE: (
        lambda f: time_findings.implausible(f.record.started_at) or time_findings.implausible(f.record.ended_at),
        lambda f: "carries an impossible date",
    ),
    TIME_IN_FUTURE: (
        lambda f: time_findings.in_future(f.record),
        lambda f: f"lies in the future of its record, which came at {minute(f.record.received_at)} UTC",
    ),
    LOCAL_TIME_AS_UTC: (
        lambda f: time_findings.local_time(f.record),
        lambda f: f"ended {_off(f.record)}, as far as a time zone lies from UTC: local time told as UTC",
    ),
    RECORDED_BEFORE_END: (
        lambda f: time_findings.recorded_before_end(f.record),
        lambda f: f"was recorded at {minute(f.record.recorded_at)} UTC, before the end that it states",
    ),
    OVER_24_HOURS: (
        lambda f: f.hours is not None and f.hours > 24,
        lambda f: f"lasted {f.hours or 0:.1f} hours",
    ),
    VALUE_UNREADABLE: (
        lambda f: bool(f.record.samples) and any("unreadable" in sample for sample in f.record.samples),
        lambda f: "came with a value that could not be read",
    ),
    FINAL_RECORDS_DISAGREE: (
        lambda f: f.record.contradicted_kwh is not None,
        lambda f: f"ended with {_both_finals(f.record)} kWh by its final records, which contradict each other",
    ),
}
