"""CSV of sessions and of spots as Spotclaim's events, read by a mapping (see `ingest.mapping`)."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from domain.errors import MalformedMessage, SetupError
from ingest import energy, mapping, wall_clock
from ingest.items import Item, Refused, Translated
from ingest.mapping import IDENTITY, SPOT_DETAILS, Record, TableMapping
from ingest.messages import SPOT_REGISTERED, USAGE_RECORDED
from ingest.rows import Row, read_table

_Values = dict[str, Any]
_Column = tuple[int, str, str, Callable[[str], Any]]


def read_sessions(lines: Iterable[str], mapping_name: str | None = None) -> Iterator[Item]:
    """One item for each row: a usage record and, where the mapping names details of the spot, its registration
    with the first row and with each row that describes it differently.

    `mapping_name` is a built-in mapping or a file; without it, the built-in one that the header fits. A row
    without its spot or session, or with a number or time that cannot be read, is refused; a value that can be
    read is kept however odd it is. Raises `SetupError` for a mapping or a header that will not do.
    """
    return _Table(lines, "sessions", mapping_name).items()


def read_spots(lines: Iterable[str], mapping_name: str | None = None) -> Iterator[Item]:
    """One item for each row, which registers a spot. Otherwise like `read_sessions`."""
    return _Table(lines, "spots", mapping_name).items()


class _Table:
    """One file and the mapping it is read by."""

    def __init__(self, lines: Iterable[str], record: Record, mapping_name: str | None) -> None:
        named = None if mapping_name is None else mapping.load(mapping_name)
        if named is not None and named.record != record:
            raise SetupError(f"Mapping {named.name} reads {named.record}, not {record}.")
        header, self._rows = read_table(lines, named.delimiter if named else ",")
        self._mapping = named or mapping.choose(record, header)
        self._columns = _columns(self._mapping, header)
        self._described: set[tuple[Any, ...]] = set()

    def items(self) -> Iterator[Item]:
        translate = self._session if self._mapping.record == "sessions" else self._spot
        for row in self._rows:
            yield row if isinstance(row, Refused) else self._item(row, translate)

    def _item(self, row: Row, translate: Callable[[_Values], list[dict[str, Any]]]) -> Item:
        try:
            return Translated(translate(self._values(row)))
        except MalformedMessage as reason:
            return Refused(row.raw, reason)

    def _values(self, row: Row) -> _Values:
        """The row's cells by field; empty ones are left out."""
        values: _Values = {}
        for index, field, column, read in self._columns:
            if cell := row.cells[index].strip():
                try:
                    values[field] = read(cell)
                except ValueError as error:
                    sentence = f"Column {column} ({field}): {error}."
                    raise MalformedMessage("INVALID_FIELD", sentence) from None
        self._demand_identity(values)
        return values

    def _demand_identity(self, values: _Values) -> None:
        for field in IDENTITY[self._mapping.record]:
            if field not in values:
                column = self._mapping.column_of(field)
                raise MalformedMessage("MISSING_FIELD", f"Column {column} ({field}) is empty.")

    def _session(self, values: _Values) -> list[dict[str, Any]]:
        self._settle_times(values)
        time = values.get("ended_at") or values.get("started_at")
        details = {field: values.pop(field) for field in SPOT_DETAILS & values.keys()}
        source = values.pop("source", self._mapping.name)
        usage = _event(USAGE_RECORDED, source, values["session_id"], time, values)
        return [*self._news(source, values["spot_id"], values.get("started_at") or time, details), usage]

    def _spot(self, values: _Values) -> list[dict[str, Any]]:
        source, spot_id = values.pop("source", self._mapping.name), values["spot_id"]
        return [_registration(source, spot_id, None, values)]

    def _news(self, source: str, spot_id: str, time: str | None, details: _Values) -> list[dict[str, Any]]:
        description = (spot_id, *sorted(details.items()))
        if not details or description in self._described:
            return []
        self._described.add(description)
        return [_registration(source, spot_id, time, details)]

    def _settle_times(self, values: _Values) -> None:
        """Turns what the clock on the wall showed into RFC 3339."""
        local = wall_clock.zone(values.get("time_zone", self._mapping.time_zone))
        start, end = values.get("started_at"), values.get("ended_at")
        if start is not None:
            start = wall_clock.moment(start, local)
            values["started_at"] = start.isoformat()
        if end is not None:
            values["ended_at"] = wall_clock.end(end, local, start).isoformat()


def _event(kind: str, source: str, event_id: str, time: str | None, data: _Values) -> dict[str, Any]:
    event = {"specversion": "1.0", "source": f"table:{source}", "id": event_id, "type": kind, "data": data}
    return event if time is None else event | {"time": time}


def _registration(source: str, spot_id: str, time: str | None, details: _Values) -> dict[str, Any]:
    place = {name: details[name] for name in ("latitude", "longitude") if name in details}
    data = {name: value for name, value in details.items() if name not in place} | {"spot_id": spot_id}
    return _event(SPOT_REGISTERED, source, spot_id, time, data | ({"location": place} if place else {}))


def _columns(by: TableMapping, header: Sequence[str]) -> list[_Column]:
    """Where each field stands in a row and how its cell is read."""
    if missing := by.missing_columns(header):
        raise SetupError(f"The file lacks the columns {', '.join(missing)} of mapping {by.name}.")
    present = [column for column in by.columns if column in header]
    if twice := [column for column in present if header.count(column) > 1]:
        raise SetupError(f"The file has more than one column {twice[0]}.")
    readers = _readers(by)
    return [
        (header.index(column), field, column, readers.get(field, str))
        for column in present
        for field in (by.columns[column],)
    ]


def _readers(by: TableMapping) -> dict[str, Callable[[str], Any]]:
    """Readers of the fields that are no plain text. They raise `ValueError` with a reason."""

    def number(cell: str) -> float:
        return _number(cell, by.decimal)

    def kwh(cell: str) -> float:
        return number(cell) / 1000 if by.energy_unit == "Wh" else number(cell)

    def register(cell: str) -> float:
        return number(cell) if number(cell) == energy.UNREAD else kwh(cell)

    def time(cell: str) -> datetime:
        return _time(cell, by.date_format)

    return {
        "connector_id": lambda cell: _whole(number(cell)),
        "energy_kwh": kwh,
        "meter_start_kwh": register,
        "meter_stop_kwh": register,
        "max_power_kw": number,
        "latitude": number,
        "longitude": number,
        "started_at": time,
        "ended_at": time,
        "commissioned_on": lambda cell: time(cell).date().isoformat(),
        "warranty_until": lambda cell: time(cell).date().isoformat(),
        "time_zone": lambda cell: wall_clock.zone(cell).key,
    }


def _whole(value: float) -> int:
    if not value.is_integer():
        raise ValueError(f"{value:g} is no whole number")
    return int(value)


def _number(cell: str, decimal: str) -> float:
    # Thousands separators are refused, not guessed at: 1.500 is two different numbers.
    foreign = "_." if decimal == "," else "_,"
    try:
        value = math.nan if any(sign in cell for sign in foreign) else float(cell.replace(decimal, "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{cell[:64]!r} is no number with the decimal sign {decimal!r}")
    return value


def _time(cell: str, date_format: str | None) -> datetime:
    try:
        return datetime.strptime(cell, date_format) if date_format else datetime.fromisoformat(cell)
    except ValueError:
        form = date_format or "ISO 8601"
        raise ValueError(f"{cell[:64]!r} is no time in the form {form}") from None
