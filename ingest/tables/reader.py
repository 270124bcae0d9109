"""Reads tables of sessions, spots and faults into events, by a mapping. See `ingest.tables.mapping`."""

import io
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from domain.errors import MalformedMessage
from domain.policy.error_codes import reports_nothing
from ingest.cloudevents.types import FAULT_CLEARED, FAULT_RAISED, SPOT_REGISTERED, USAGE_RECORDED
from ingest.files.items import IGNORED, Item, RefusedItem, Translated
from ingest.tables import cells, layout, wall_clock
from ingest.tables.csv_rows import Row
from ingest.tables.layout import Layout
from ingest.tables.mapping import IDENTITY, SPOT_DETAILS, Record
from ingest.tables.survey import Survey

_Values = dict[str, Any]
_Column = tuple[int, str, str, Callable[[Any], Any], bool]
_Event = dict[str, Any]

# Optional fields of a session: a cell of theirs that cannot be parsed is kept beside the record, as it is.
_BESIDE: Final = SPOT_DETAILS - {"time_zone"} | {"ended_at", "energy_kwh", "meter_start_kwh", "meter_stop_kwh"}


class Table:
    """Reads one file by its mapping.

    `layout` is how the file is understood, `survey` describes its rows as a whole. `mapping_name` is a built-in
    mapping or a file; without it, the built-in one that reads most of the header. Raises `SetupError` for an
    unusable mapping, file or header.
    """

    def __init__(self, stream: io.BufferedReader, record: Record, mapping_name: str | None = None) -> None:
        self.layout, self._rows = layout.open_table(stream, record, mapping_name)
        self.survey = Survey()
        self._mapping = self.layout.mapping
        self._columns, self._joined = _columns(self.layout)
        self._details = sorted(SPOT_DETAILS & set(self.layout.fields.values()))
        self._has_one_date = self._mapping.has_one_date
        self._last_details: dict[str, _Values] = {}
        self._described: set[tuple[Any, ...]] = set()

    def items(self) -> Iterator[Item]:
        """Yields one item for each row.

        A session gives a usage record and, where the mapping names details of the spot, its registration with the
        first row and with each row that describes it differently; a fault that its taxonomy calls none is ignored.
        Refused is a row without its identity, or with a value that says what, where or when and cannot be parsed.
        Any other value of a session that cannot be parsed is kept as it is beside the record. Raises
        `FileDamaged`.
        """
        translate = {"sessions": self._session, "spots": self._spot, "faults": self._fault}[self._mapping.record]
        for row in self._rows:
            yield row if isinstance(row, RefusedItem) else self._item(row, translate)

    def _item(self, row: Row, translate: Callable[[_Values, int], list[_Event]]) -> Item:
        try:
            events = translate(self._values(row), row.number)
        except MalformedMessage as reason:
            return RefusedItem(row.raw, reason, row.number)
        return Translated(events, None, row.raw, row.number) if events else IGNORED

    def _values(self, row: Row) -> _Values:
        """Returns the row's cells by field, without empty ones."""
        values: _Values = {}
        if self._joined:
            row.cells.extend(_together(row.cells, places) for places in self._joined)
        for index, field, column, read, beside in self._columns:
            cell = row.cells[index]
            if isinstance(cell, str):
                cell = cell.strip()
            if cell != "":
                try:
                    values[field] = read(cell)
                except ValueError as error:
                    if not beside:
                        raise MalformedMessage("INVALID_FIELD", f"Column {column} ({field}): {error}.") from None
                    self._keep_unread(values, field, column, cells.words(cell), row.number)
        for field in IDENTITY[self._mapping.record]:
            if field not in values:
                column = self._mapping.column_of(field)
                raise MalformedMessage("MISSING_FIELD", f"Column {column} ({field}) is empty.")
        return values

    def _keep_unread(self, values: _Values, field: str, column: str, cell: str, number: int) -> None:
        values.setdefault("samples", []).append({"unreadable": field, "text": cell})
        self.survey.note_unread(column, cell, number)

    def _session(self, values: _Values, _number: int) -> list[_Event]:
        local = wall_clock.zone(values.get("time_zone", self._mapping.time_zone))
        start, end = values.get("started_at"), values.get("ended_at")
        began = None if start is None else wall_clock.moment(start, local)
        if end is not None:
            end, ended = self._end(end, local, began)
            values["ended_at"] = ended.isoformat()
        if began is not None:
            values["started_at"] = began.isoformat()
        self.survey.note(values, start, end)
        time = values.get("ended_at") or values.get("started_at")
        details = {field: values.pop(field) for field in self._details if field in values}
        if ("latitude" in details) != ("longitude" in details):
            details = {field: value for field, value in details.items() if field not in ("latitude", "longitude")}
        source = values.pop("source", self._mapping.name)
        usage = _event(USAGE_RECORDED, source, values["session_id"], time, values)
        return [
            *self._new_registrations(source, values["spot_id"], values.get("started_at") or time, details),
            usage,
        ]

    def _end(self, end: datetime, local: tzinfo, began: datetime | None) -> tuple[datetime, datetime]:
        """Returns a session's end as local time and as moment.

        If its only date is that of the start, it may be past midnight.
        """
        ended = wall_clock.end(end, local, began)
        if not self._has_one_date or began is None or ended.timestamp() >= began.timestamp():
            return end, ended
        if end.date() == date.max:
            return end, ended
        after_midnight = end + timedelta(days=1)
        return after_midnight, wall_clock.end(after_midnight, local, began)

    def _spot(self, values: _Values, _number: int) -> list[_Event]:
        self.survey.note(values, None)
        source, spot_id = values.pop("source", self._mapping.name), values["spot_id"]
        return [_registration(source, spot_id, None, values)]

    def _fault(self, values: _Values, _number: int) -> list[_Event]:
        taxonomy = values.setdefault("taxonomy", self._mapping.taxonomy)
        cleared = values.pop("cleared", False)
        if not cleared and reports_nothing(taxonomy, values["code"]):
            return []
        occurred = values.get("occurred_at")
        self.survey.note(values, occurred)
        self.survey.note_code(taxonomy, values["code"])
        local = wall_clock.zone(values.pop("time_zone", self._mapping.time_zone))
        if occurred is not None:
            values["occurred_at"] = wall_clock.moment(occurred, local).isoformat()
        source, fault_id = values.pop("source", self._mapping.name), values.pop("fault_id", None)
        values["error"] = {name: values.pop(name) for name in ("taxonomy", "code", "info") if name in values}
        kind = FAULT_CLEARED if cleared else FAULT_RAISED
        return [_event(kind, source, fault_id or values["spot_id"], values.get("occurred_at"), values)]

    def _new_registrations(self, source: str, spot_id: str, time: str | None, details: _Values) -> list[_Event]:
        if not details or self._last_details.get(spot_id) == details:
            return []
        self._last_details[spot_id] = details
        description = (spot_id, *details.items())
        if description in self._described:
            return []
        self._described.add(description)
        return [_registration(source, spot_id, time, details)]


def _event(kind: str, source: str, event_id: str, time: str | None, data: _Values) -> _Event:
    event = {"specversion": "1.0", "source": f"table:{source}", "id": event_id, "type": kind, "data": data}
    if time is not None:
        event["time"] = time
    return event


def _registration(source: str, spot_id: str, time: str | None, details: _Values) -> _Event:
    place = {name: details[name] for name in ("latitude", "longitude") if name in details}
    data = {name: value for name, value in details.items() if name not in place} | {"spot_id": spot_id}
    return _event(SPOT_REGISTERED, source, spot_id, time, data | ({"location": place} if place else {}))


def _together(row: list[Any], places: list[int]) -> Any:
    """Combines the cells at these places; empty if they all are."""
    parts = [cell.strip() if isinstance(cell, str) else cell for cell in (row[place] for place in places)]
    return "" if all(part == "" for part in parts) else tuple(parts)


def _columns(understood: Layout) -> tuple[list[_Column], list[list[int]]]:
    """Returns the place and the parser of each field, and whether it is optional.

    And the places of cells that are combined, which stand behind the row's own, in this order.
    """
    by, header = understood.mapping, understood.header
    readers, text = cells.readers(by), str if understood.is_text else cells.words
    beside = _BESIDE if by.record == "sessions" else frozenset[str]()
    columns: list[_Column] = []
    joined: list[list[int]] = []
    for parts, field in understood.columns:
        places = [header.index(part) for part in parts]
        if len(places) > 1:
            joined.append(places)
            places = [len(header) + len(joined) - 1]
        columns.append((places[0], field, " + ".join(parts), readers.get(field, text), field in beside))
    return columns, joined
