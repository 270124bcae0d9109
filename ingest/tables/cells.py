"""Parses cells by a mapping's decimal sign, units and date format.

What cannot be parsed raises `ValueError` with a reason. Cells of a sheet may be numbers and dates already.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any, Final

from ingest.ocpp import energy
from ingest.tables import wall_clock
from ingest.tables.mapping import TableMapping

# Our unit for each unit of a table, and the divisor.
_UNITS: Final = {
    "wh": ("kWh", 1000.0),
    "kwh": ("kWh", 1.0),
    "mwh": ("kWh", 0.001),
    "w": ("kW", 1000.0),
    "kw": ("kW", 1.0),
    "mw": ("kW", 0.001),
}
_STATED_UNIT: Final = re.compile(r"(.*\S)\s*(?<![a-z])([km]?wh?)", re.IGNORECASE | re.DOTALL)
_ANSWERS: Final = dict.fromkeys(("true", "yes", "y", "1", "cleared"), True) | dict.fromkeys(
    ("false", "no", "n", "0", "raised"), False
)
# Every kind of space that separates thousands.
_SPACES: Final = (" ", "\u00a0", "\u2009", "\u202f")

Read = Callable[[Any], Any]


def readers(by: TableMapping) -> dict[str, Read]:
    """Returns the parser of each field that is not plain text."""
    number = _numbers(by.decimal, by.thousands)
    kwh, kw = _measure(number, by.energy_unit), _measure(number, by.power_unit)

    def register(cell: Any) -> float:
        return energy.UNREAD if cell in ("-1", -1) else kwh(cell)

    def moment(cell: Any) -> datetime:
        return _time(cell, by.date_format)

    def day(cell: Any) -> str:
        return moment(cell).date().isoformat()

    return {
        "connector_id": lambda cell: _whole(number(cell)),
        "energy_kwh": kwh,
        "meter_start_kwh": register,
        "meter_stop_kwh": register,
        "max_power_kw": kw,
        "latitude": number,
        "longitude": number,
        "started_at": moment,
        "ended_at": moment,
        "occurred_at": moment,
        "commissioned_on": day,
        "warranty_until": day,
        "time_zone": lambda cell: wall_clock.zone(str(cell)).key,
        "cleared": _answer,
    }


def words(cell: Any) -> str:
    """Converts a cell to text. Spreadsheets make numbers of ids: 2.0 is written 2."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, tuple):
        return " ".join(map(words, cell)).strip()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _numbers(decimal: str, thousands: str | None) -> Callable[[Any], float]:
    """Returns a parser of numbers. It refuses undeclared separators of thousands: 1.500 is two numbers."""
    foreign = "_." if decimal == "," else "_,"

    def number(cell: Any) -> float:
        try:
            plain = cell if thousands is None else _ungrouped(cell, decimal, thousands)
            if isinstance(plain, str):
                plain = math.nan if foreign[0] in plain or foreign[1] in plain else plain.replace(decimal, ".")
            value = float(plain)
        except (ValueError, TypeError):
            value = math.nan
        if not math.isfinite(value) or isinstance(cell, bool):
            grouped = f" and {thousands!r} between thousands" if thousands else ""
            raise ValueError(f"{words(cell)[:64]!r} is no number with the decimal sign {decimal!r}{grouped}")
        return value

    return number


def _ungrouped(cell: Any, decimal: str, thousands: str) -> Any:
    """Removes the separators of thousands, if they separate thousands."""
    if not isinstance(cell, str):
        return cell
    whole, point, fraction = cell.partition(decimal)
    for sign in _SPACES if thousands == " " else (thousands,):
        first, *groups = whole.split(sign)
        if groups and 1 <= len(first.lstrip("+-")) <= 3 and all(len(group) == 3 for group in groups):
            return "".join((first, *groups, point, fraction))
    return cell


def _measure(number: Callable[[Any], float], unit: str) -> Callable[[Any], float]:
    """Returns a parser of numbers in the mapping's unit. A cell that states its own unit is read by that."""
    kind, many = _UNITS[unit.lower()]

    def measure(cell: Any) -> float:
        stated = _STATED_UNIT.fullmatch(cell) if isinstance(cell, str) and cell[-1] in "hHwW" else None
        if stated is None:
            return number(cell) / many
        its_kind, how_many = _UNITS[stated[2].lower()]
        if its_kind != kind:
            raise ValueError(f"{cell[:64]!r} is not in {kind}")
        return number(stated[1]) / how_many

    return measure


def _whole(value: float) -> int:
    if not value.is_integer():
        raise ValueError(f"{value:g} is no whole number")
    return int(value)


def _answer(cell: Any) -> bool:
    try:
        return _ANSWERS[words(cell).lower()]
    except KeyError:
        raise ValueError(f"{words(cell)[:64]!r} is none of {', '.join(_ANSWERS)}") from None


def _time(cell: Any, date_format: str | None) -> datetime:
    if isinstance(cell, date):
        return cell if isinstance(cell, datetime) else datetime.combine(cell, time())
    if isinstance(cell, tuple):
        day, clock = cell
        return _time_of_two(day, clock, date_format)
    try:
        return datetime.strptime(cell, date_format) if date_format else datetime.fromisoformat(cell)
    except (ValueError, TypeError):
        form = date_format or "ISO 8601"
        raise ValueError(f"{words(cell)[:64]!r} is no time in the form {form}") from None


def _time_of_two(day: Any, clock: Any, date_format: str | None) -> datetime:
    """Combines the date of one cell with the time of another."""
    if day == "" or clock == "":
        alone, lacking = (day, "time") if clock == "" else (clock, "date")
        raise ValueError(f"{words(alone)[:64]!r} stands without its {lacking}")
    if not isinstance(day, date):
        return _time(f"{words(day)} {words(clock)}", date_format)
    if isinstance(clock, time):
        return datetime.combine(day, clock)
    return _time(f"{day:%Y-%m-%d} {words(clock)}", None)
