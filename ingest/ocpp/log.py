"""Reads logs of OCPP-J messages in the forms that back-ends write."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from domain.errors import MalformedMessage, SetupError
from ingest.cloudevents import split_array, strict_json
from ingest.files.items import RefusedItem
from ingest.ocpp.frame import CALL, ERROR, RESULT, Frame, moment, name_or_none, parts
from ingest.tables import csv_rows

# Column names of back-ends for the three things a log must state, in letters and digits alone; the surest first,
# since `id` may be the row's own.
_TIME: Final = ("timestamp", "time", "receivedat", "loggedat", "createdat", "datetime", "date", "ts")
_STATION: Final = (
    "chargepointid", "chargepoint", "chargingstationid", "chargingstation", "chargeboxid", "chargebox",
    "stationid", "station", "chargerid", "charger", "cpid", "ocppidentity", "identity", "deviceid", "id",
)  # fmt: skip
_MESSAGE: Final = ("msg", "message", "frame", "ocppmessage", "rawmessage", "raw", "body", "payload", "data")
_PUNCTUATION: Final = re.compile(r"[^a-z0-9]")
_BARE_FRAME: Final = re.compile(r"\s*\[\s*[2-6]\s*,")
# Some log a message in parts: its kind, unique id and action, and the payload alone as the message.
_KIND: Final = ("messagetypeid", "messagetype", "type")
_UNIQUE_ID: Final = ("uniqueid", "messageid", "correlationid")
_KINDS: Final = {"2": CALL, "call": CALL, "3": RESULT, "callresult": RESULT, "4": ERROR, "callerror": ERROR}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One row of a log, its message not yet parsed.

    It has its parts as they were written, and the whole row. `head` is kind, unique id and action, where the log
    keeps them beside the payload.
    """

    timestamp: Any
    station: Any
    message: Any
    text: str
    head: tuple[Any, Any, Any] | None = None


def frames(lines: Iterable[str], station: str | None = None) -> Iterator[Frame | RefusedItem]:
    """Reads the frames of a log, in the log's order.

    The log is CSV with columns for the time, the station and the message, or its parts (`timestamp,id,msg`, or as
    back-ends name them), or JSON: objects with these keys, or bare frames of the one `station`, a line each or in
    one array. A time without an offset is UTC; for one that cannot be parsed, that of the frame before stands in.
    Raises `SetupError` when a column is missing, or when nothing says whose the frames are.
    """
    source = iter(lines)
    first = next((line for line in source if line.strip()), "")
    whole = chain([first] if first else [], source)
    entries = (
        _json_entries(first, whole, station) if first.lstrip()[:1] in ("{", "[") else _csv_entries(whole, station)
    )
    return _in_order(entries, station)


def entry_of(text: str) -> LogEntry:
    """Parses a JSON object of a log, or a bare frame. Raises `MalformedMessage` otherwise."""
    value = strict_json.loads(csv_rows.original_bytes(text))
    if isinstance(value, list):
        return LogEntry(None, None, value, text)
    if not isinstance(value, dict):
        raise MalformedMessage("NOT_OCPP", "The line is neither a JSON object nor a frame.")
    names = _names(tuple(value))
    if "unique_id" in names:
        return _entry({wanted: value.get(name) for wanted, name in names.items()}, text)
    time, station, message = (names.get(wanted, "") for wanted in ("time", "station", "message"))
    return LogEntry(value.get(time), value.get(station), value.get(message), text)


def frame_of(entry: LogEntry, earlier: datetime | None = None) -> Frame:
    """Parses the frame of an entry; `earlier` is the time of the one before. Raises `MalformedMessage`."""
    station = name_or_none(entry.station)
    if station is None or entry.message in (None, ""):
        raise MalformedMessage("MISSING_FIELD", "The row lacks the charge point's id or its msg.")
    kind, unique_id, action, payload = parts(_assembled(entry) if entry.head else entry.message)
    logged_at = "" if entry.timestamp is None else str(entry.timestamp)
    received_at = moment(entry.timestamp) or (earlier if logged_at else None)
    return Frame(station, logged_at, received_at, kind, unique_id, action, payload, entry.text)


def _assembled(entry: LogEntry) -> Any:
    """Assembles a message from its parts, unless the message contains them itself."""
    payload = entry.message
    if isinstance(payload, str):
        payload = strict_json.loads(csv_rows.original_bytes(payload))
    if not isinstance(payload, dict) or entry.head is None:
        return payload
    kind_name, unique_id, action = entry.head
    kind = _KINDS.get(_PUNCTUATION.sub("", str(kind_name).lower()), 0)
    return [kind, unique_id, action, payload] if kind == CALL else [kind, unique_id, payload]


def _in_order(entries: Iterator[LogEntry | RefusedItem], station: str | None) -> Iterator[Frame | RefusedItem]:
    earlier: datetime | None = None
    for entry in entries:
        if isinstance(entry, RefusedItem):
            yield entry
            continue
        try:
            frame = frame_of(_owned(entry, station), earlier)
        except MalformedMessage as reason:
            yield RefusedItem(csv_rows.original_bytes(entry.text), reason)
            continue
        earlier = frame.received_at or earlier
        yield frame


def _owned(entry: LogEntry, station: str | None) -> LogEntry:
    if entry.station is not None or station is None:
        return entry
    return LogEntry(entry.timestamp, station, entry.message, entry.text)


def _csv_entries(source: Iterable[str], station: str | None) -> Iterator[LogEntry | RefusedItem]:
    header, table = csv_rows.read_table(source)
    names = _names(tuple(header))
    wanted = {"time": "timestamp", "message": "msg"} | ({} if station else {"station": "id"})
    if missing := [usual for name, usual in wanted.items() if name not in names]:
        raise SetupError(f"An OCPP log has the columns timestamp, id, msg; missing: {', '.join(sorted(missing))}.")
    places = [(wanted, header.index(name)) for wanted, name in names.items()]
    for row in table:
        if isinstance(row, RefusedItem):
            yield row
        else:
            cells = row.cells
            yield _entry({wanted: cells[place].strip() for wanted, place in places}, row.text)


def _entry(fields: Mapping[str, Any], text: str) -> LogEntry:
    head = (fields.get("kind"), fields["unique_id"], fields.get("action")) if "unique_id" in fields else None
    return LogEntry(fields.get("time"), fields.get("station"), fields.get("message"), text, head)


def _json_entries(first: str, source: Iterable[str], station: str | None) -> Iterator[LogEntry | RefusedItem]:
    is_bare = _BARE_FRAME.match(first) is not None
    if is_bare and station is None:
        raise SetupError("The log holds bare frames, which do not say whose they are; name the station.")
    is_array = first.lstrip().startswith("[") and not is_bare
    for text in _items_of_array("".join(source)) if is_array else source:
        if not text.strip():
            continue
        try:
            yield entry_of(text)
        except MalformedMessage as reason:
            yield RefusedItem(csv_rows.original_bytes(text), reason)


def _items_of_array(text: str) -> list[str]:
    items = split_array.split(csv_rows.original_bytes(text))
    return [text] if items is None else [item.decode("utf-8", "surrogateescape") for item in items]


@lru_cache(maxsize=256)
def _names(given: tuple[str, ...]) -> Mapping[str, str]:
    """Maps time, station, and the message or its parts to the log's names for them."""
    plain = {_PUNCTUATION.sub("", name.lower()): name for name in given}
    wanted = {
        "time": _TIME,
        "station": _STATION,
        "message": _MESSAGE,
        "kind": _KIND,
        "unique_id": _UNIQUE_ID,
        "action": ("action",),
    }
    found = {kind: next((plain[name] for name in names if name in plain), None) for kind, names in wanted.items()}
    return {kind: name for kind, name in found.items() if name is not None}
