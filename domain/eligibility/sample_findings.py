"""Finds what is wrong with the readings of an energy register within one session."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any, Final, NamedTuple

from domain.eligibility.wording import kwh, minute
from domain.field.usage import BEGIN, UsageRecord

REGISTER_LEAPT: Final = "REGISTER_LEAPT"
REGISTER_FELL_WITHIN: Final = "REGISTER_FELL_WITHIN"

_TOLERANCE_KWH = 0.05
# More than any car takes, and a minute more, for times that were rounded to minutes.
_HIGHEST_CAR_POWER_KW = 400.0
_SHORTEST_HOURS = 1 / 60
CEILING_KWH: Final = 1e9
_UNIT = 1000.0
_UNIT_TOLERANCE = 0.02
# No car charges with less than 6 A.
_LOWEST_CAR_POWER_KW = 1.0
# Power changes between samples, and they need not cover a session from end to end.
_POWER_FACTOR = 2.5
_FEWEST_POWERS = 3
_SHORTEST_POWER_HOURS = 5 / 60


class Reading(NamedTuple):
    """What a register showed at a moment, kWh."""

    at: datetime
    kwh: float


_Step = tuple[Reading, Reading]


def leap(record: UsageRecord) -> _Step | None:
    """Finds two readings between which the register advanced by more than any car takes in that time."""
    return _first(record, _leapt)


def fall(record: UsageRecord) -> _Step | None:
    """Finds two readings of which the later is lower."""
    return _first(record, _fell)


def leapt(record: UsageRecord) -> str:
    """Describes the leap in a clause about the session."""
    return f"has samples in which its register leapt, faster than any car charges: {_spelled(leap(record))}"


def fell(record: UsageRecord) -> str:
    """Describes the fall in a clause about the session."""
    return f"has samples in which its register fell: {_spelled(fall(record))}"


def slips(record: UsageRecord) -> bool:
    """Checks whether samples give a thousand times what the record states, or a thousandth.

    They do by the register, whose last sample lies where it stopped, or by the energy of their power over time.
    """
    return _register_slips(record) or _energy_slips(record)


def slipped(record: UsageRecord) -> str:
    """Describes the slip in a clause about the session."""
    if _register_slips(record):
        return f"stopped at {kwh(record.meter_stop_kwh)} kWh, and was last read at {kwh(_last_sample(record))} kWh"
    return (
        f"recorded {kwh(record.energy_kwh)} kWh, while its samples show power that comes to about"
        f" {kwh(_kwh_by_power(record))} kWh"
    )


def _register_slips(record: UsageRecord) -> bool:
    stop, sampled = record.meter_stop_kwh, _last_sample(record)
    if stop is None or not 0 <= stop < CEILING_KWH or not sampled or sampled < 0:
        return False
    return any(math.isclose(stop / sampled, slip, rel_tol=_UNIT_TOLERANCE) for slip in (_UNIT, 1 / _UNIT))


def _energy_slips(record: UsageRecord) -> bool:
    energy, by_power = record.energy_kwh, _kwh_by_power(record)
    if energy is None or energy <= 0 or by_power is None:
        return False
    ratio = energy / by_power
    return any(slip / _POWER_FACTOR <= ratio <= slip * _POWER_FACTOR for slip in (_UNIT, 1 / _UNIT))


def _kwh_by_power(record: UsageRecord) -> float | None:
    """Returns the energy that the sampled power comes to over the session.

    None where the samples do not show it: they are few, cover less than half of it, or the power is not that of a
    car that charges. So a session of a few watt hours, or of a car that is full, has none.
    """
    sampled = sorted(
        (moment, float(sample["power_kw"]))
        for sample in record.samples
        if isinstance(sample.get("power_kw"), int | float) and (moment := _moment(sample.get("at")))
    )
    if len(sampled) < _FEWEST_POWERS or not record.hours or record.hours < 0:
        return None
    span = (sampled[-1][0] - sampled[0][0]).total_seconds() / 3600
    if span < _SHORTEST_POWER_HOURS or span < record.hours / 2:
        return None
    steps = pairwise(sampled)
    energy = sum((then - at).total_seconds() / 3600 * (power + next_) / 2 for (at, power), (then, next_) in steps)
    return energy if _LOWEST_CAR_POWER_KW <= energy / span <= _HIGHEST_CAR_POWER_KW else None


def _spelled(step: _Step | None) -> str:
    return " to ".join(f"{kwh(reading.kwh)} kWh ({minute(reading.at)} UTC)" for reading in step or ())


def _first(record: UsageRecord, wrong: Callable[[Reading, Reading], bool]) -> _Step | None:
    readings = _readings(record)
    steps = pairwise(readings) if len(readings) > 1 and not _of_two_registers(readings) else ()
    return next((step for step in steps if wrong(*step)), None)


def _readings(record: UsageRecord) -> list[Reading]:
    """Lists the samples of the register in order of time, with what it showed at either end of the session."""
    sampled = [_reading(sample.get("at"), sample.get("register_kwh")) for sample in _in_course(record)]
    if not any(sampled):
        return []
    ends = [_reading(record.started_at, record.meter_start_kwh), _reading(record.ended_at, record.meter_stop_kwh)]
    return sorted(reading for reading in (*sampled, *ends) if reading is not None)


def _in_course(record: UsageRecord) -> Iterator[dict[str, Any]]:
    """Lists the samples but for those of the begin, which stations send again with every later one."""
    return (sample for sample in record.samples if sample.get("context") != BEGIN)


def _last_sample(record: UsageRecord) -> float | None:
    readings = [sample.get("register_kwh") for sample in _in_course(record)]
    return next((float(value) for value in reversed(readings) if isinstance(value, int | float)), None)


def _reading(at: Any, shown: Any) -> Reading | None:
    """Returns a reading with a known time; None for what is no register."""
    moment = _moment(at)
    if (
        moment is None
        or isinstance(shown, bool)
        or not isinstance(shown, int | float)
        or not 0 <= shown < CEILING_KWH
    ):
        return None
    return Reading(moment, float(shown))


def _moment(at: Any) -> datetime | None:
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            return None
    if not isinstance(at, datetime):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _leapt(earlier: Reading, later: Reading) -> bool:
    hours = (later.at - earlier.at).total_seconds() / 3600
    most = _HIGHEST_CAR_POWER_KW * (hours + _SHORTEST_HOURS) + _TOLERANCE_KWH
    return later.kwh - earlier.kwh > most


def _fell(earlier: Reading, later: Reading) -> bool:
    return later.at > earlier.at and later.kwh < earlier.kwh - _TOLERANCE_KWH


def _of_two_registers(readings: Sequence[Reading]) -> bool:
    """Checks whether the readings are of two registers, each of them sound, that were read together or in turn.

    Stations send the register of a lifetime beside that of the session. Where the readings leap once, and stay
    there, it is one register.
    """
    return any(len(low) > 1 and len(high) > 1 and _sound(low, high) for low, high in _ways_to_split(readings))


def _sound(low: Sequence[Reading], high: Sequence[Reading]) -> bool:
    in_turn = low[0].at <= high[-1].at and high[0].at <= low[-1].at
    return in_turn and not any(_leapt(*step) or _fell(*step) for one in (low, high) for step in pairwise(one))


def _ways_to_split(readings: Sequence[Reading]) -> Iterator[tuple[list[Reading], list[Reading]]]:
    """Splits readings where their values lie farthest apart; or at each moment, if most were read together."""
    by_value = sorted(readings, key=lambda reading: reading.kwh)
    gap = max(range(1, len(by_value)), key=lambda place: by_value[place].kwh - by_value[place - 1].kwh)
    yield sorted(by_value[:gap]), sorted(by_value[gap:])
    moments = [list(together) for _, together in groupby(readings, key=lambda reading: reading.at)]
    pairs = [(together[0], together[-1]) for together in moments if len(together) > 1]
    if 2 * len(pairs) > len(moments):
        yield [low for low, _ in pairs], [high for _, high in pairs]
