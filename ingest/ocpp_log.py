"""Logs of OCPP 1.6J messages, frame by frame. Source: OCPP-J 1.6, section 4."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from domain.errors import MalformedMessage, SetupError
from ingest import rows, strict_json
from ingest.items import Refused

_COLUMNS: Final = ("timestamp", "id", "msg")
_PLAUSIBLE_YEARS: Final = range(2010, 9999)


@dataclass(frozen=True, slots=True)
class Frame:
    """One message between a charge point and its central system.

    `station` is the charge point's identity. `logged_at` is the log's timestamp as written, `received_at` the
    same as a moment; None where the log has none. `action` is empty in an answer. `raw` is the whole row.
    """

    station: str
    logged_at: str
    received_at: datetime | None
    unique_id: str
    action: str
    payload: dict[str, Any]
    raw: bytes

    @property
    def moment_id(self) -> str:
        """The unique id and when it came: stations use one id again for another message."""
        return f"{self.unique_id}@{self.logged_at}" if self.logged_at else self.unique_id

    @property
    def stated_at(self) -> str | None:
        """The moment in the station's own words."""
        timestamp = self.payload.get("timestamp")
        return timestamp if timestamp and isinstance(timestamp, str) else None

    def event(self, kind: str, event_id: str, data: dict[str, Any]) -> dict[str, Any]:
        """A CloudEvent that this frame gives. It states no time: the time of reception orders it."""
        return {
            "specversion": "1.0",
            "source": f"ocpp:{self.station}",
            "id": event_id,
            "type": kind,
            "data": data,
        }


def frames(lines: Iterable[str]) -> Iterator[Frame | Refused]:
    """The frames of a log, in the log's order.

    The log is CSV with at least the columns `timestamp,id,msg`, or JSON lines with these keys; a timestamp without
    an offset is UTC. Raises `SetupError` when a column is missing.
    """
    source = iter(lines)
    first = next((line for line in source if line.strip()), None)
    whole = source if first is None else chain([first], source)
    is_json = first is not None and first.lstrip().startswith("{")
    entries = _json_entries(whole) if is_json else _csv_entries(whole)
    return (entry if isinstance(entry, Refused) else _frame(entry) for entry in entries)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row of a log, its message not yet looked at."""

    timestamp: Any
    station: Any
    message: Any
    raw: bytes


def _csv_entries(source: Iterable[str]) -> Iterator[_Entry | Refused]:
    header, table = rows.read_table(source)
    if missing := [column for column in _COLUMNS if column not in header]:
        raise SetupError(f"An OCPP log has the columns {', '.join(_COLUMNS)}; missing: {', '.join(missing)}.")
    timestamp, station, message = (header.index(column) for column in _COLUMNS)
    return (
        row
        if isinstance(row, Refused)
        else _Entry(row.cells[timestamp].strip(), row.cells[station].strip(), row.cells[message], row.raw)
        for row in table
    )


def _json_entries(source: Iterable[str]) -> Iterator[_Entry | Refused]:
    for line in source:
        raw = rows.original_bytes(line)
        if raw.strip():
            yield _json_entry(raw)


def _json_entry(raw: bytes) -> _Entry | Refused:
    try:
        entry = strict_json.loads(raw)
    except MalformedMessage as reason:
        return Refused(raw, reason)
    if not isinstance(entry, dict):
        return Refused(raw, MalformedMessage("NOT_OCPP", "The line is no JSON object."))
    return _Entry(entry.get("timestamp"), entry.get("id"), entry.get("msg"), raw)


def _frame(entry: _Entry) -> Frame | Refused:
    try:
        if entry.station in (None, "") or entry.message in (None, ""):
            raise MalformedMessage("MISSING_FIELD", "The row lacks the charge point's id or its msg.")
        unique_id, action, payload = _parts(entry.message)
        received_at = _moment(entry.timestamp)
    except MalformedMessage as reason:
        return Refused(entry.raw, reason)
    logged_at = str(entry.timestamp or "")
    return Frame(str(entry.station), logged_at, received_at, unique_id, action, payload, entry.raw)


def _parts(message: Any) -> tuple[str, str, dict[str, Any]]:
    """Unique id, action and payload. Only calls have an action; an error's payload says nothing to us."""
    if isinstance(message, str):
        message = strict_json.loads(rows.original_bytes(message))
    match message:
        case [2, str() | int() as unique_id, str() as action, dict() as payload]:
            return str(unique_id), action, payload
        case [3, str() | int() as unique_id, dict() as payload]:
            return str(unique_id), "", payload
        case [4, str() | int() as unique_id, *_]:
            return str(unique_id), "", {}
    raise MalformedMessage("NOT_OCPP", "The message is no OCPP-J call, result or error.")


def _moment(timestamp: Any) -> datetime | None:
    if timestamp in (None, ""):
        return None
    try:
        moment = datetime.fromisoformat(str(timestamp))
    except ValueError:
        moment = datetime.min
    if moment.year not in _PLAUSIBLE_YEARS:
        raise MalformedMessage("INVALID_TIME", f"timestamp is no plausible time: {str(timestamp)[:64]!r}.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
