"""Frames: OCPP-J messages. Source: OCPP-J 1.6, section 4; OCPP 2.1 part 4, section 4."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from domain.errors import MalformedMessage
from ingest.cloudevents import strict_json

CALL, RESULT, ERROR = 2, 3, 4
_FIRST_YEAR, _LAST_YEAR = "2010", "9999"
_PLAUSIBLE_YEARS: Final = range(int(_FIRST_YEAR), int(_LAST_YEAR))
_LONGEST_NAME: Final = 256
_LARGEST_CONNECTOR: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One message between a station and its central system.

    `station` is the station's identity. `logged_at` is the log's timestamp as written, `received_at` the same as a
    moment; None where the log has none. `action` is empty in an answer. `text` is the whole row that it came in.
    `flaws` describes where it departs from its standard.
    """

    station: str
    logged_at: str
    received_at: datetime | None
    kind: int
    unique_id: str
    action: str
    payload: dict[str, Any]
    text: str
    flaws: tuple[str, ...] = ()

    @property
    def raw(self) -> bytes:
        """Returns the row's original bytes."""
        return self.text.encode("utf-8", "surrogateescape")

    @property
    def moment_id(self) -> str:
        """Combines the unique id with the frame's time, since stations reuse ids.

        The station's own time identifies it best, since a frame that waited for its connection keeps it.
        """
        when = self.plausibly_stated_at or self.logged_at
        return f"{self.unique_id}@{when}" if when else self.unique_id

    @property
    def stated_at(self) -> str | None:
        """Returns the station's own timestamp as written, if it is a time at all."""
        return time_or_none(self.payload.get("timestamp"))

    @property
    def plausibly_stated_at(self) -> str | None:
        """Returns the same, if it is plausible."""
        stated = self.stated_at
        # Every form of ISO 8601 begins with the year.
        return stated if stated and _FIRST_YEAR <= stated[:4] < _LAST_YEAR else None

    def event(self, kind: str, event_id: str, data: dict[str, Any]) -> dict[str, Any]:
        """Builds a CloudEvent. It states no time: the time of reception orders it."""
        return {
            "specversion": "1.0",
            "source": f"ocpp:{self.station}",
            "id": event_id,
            "type": kind,
            "data": data,
        }


Parts = tuple[int, str, str, dict[str, Any]]
"""Kind, unique id, action and payload of a message."""


def parts(message: Any) -> Parts:
    """Splits an OCPP-J message, JSON text or its value, into its parts.

    Only calls have an action. The two kinds that 2.1 added are a call without an answer, 6, and an error about a
    result, 5. Raises `MalformedMessage` for what is no call, result or error.
    """
    if isinstance(message, str):
        message = strict_json.loads(message.encode("utf-8", "surrogateescape"))
    match message:
        case [2 | 6, str() | int() as unique_id, str() as action, dict() as payload]:
            return CALL, str(unique_id), action, payload
        case [3, str() | int() as unique_id, dict() as payload]:
            return RESULT, str(unique_id), "", payload
        case [4 | 5, str() | int() as unique_id, *details]:
            names = ("errorCode", "errorDescription", "errorDetails")
            return ERROR, str(unique_id), "", dict(zip(names, details, strict=False))
    raise MalformedMessage("NOT_OCPP", "The message is no OCPP-J call, result or error.")


def moment(timestamp: Any) -> datetime | None:
    """Parses a log's timestamp, as UTC without an offset; None if implausible.

    Numbers are seconds since 1970, or milliseconds.
    """
    try:
        if isinstance(timestamp, (int, float)) or timestamp.isdecimal():
            return _since_1970(float(timestamp))
        read = datetime.fromisoformat(timestamp)
    except (ValueError, AttributeError, OverflowError, OSError):
        return None
    if read.year not in _PLAUSIBLE_YEARS:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _since_1970(number: float) -> datetime | None:
    read = datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    return read if read.year in _PLAUSIBLE_YEARS else None


def time_or_none(value: Any) -> str | None:
    """Returns a time as it was written; None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return value


def name_or_none(value: Any) -> str | None:
    """Returns a name or a number as text of bounded length; None for anything else."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)[:_LONGEST_NAME] or None
    return None


def connector(value: Any) -> int:
    """Parses the number of a connector or EVSE; 0, the whole spot, for anything else."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return number if 0 <= number <= _LARGEST_CONNECTOR else 0


def inner(payload: Any, *path: str) -> Any:
    """Returns the value at a path of nested objects; None where there is none."""
    for key in path:
        payload = payload.get(key) if isinstance(payload, dict) else None
    return payload


def objects(items: Any) -> list[dict[str, Any]]:
    """Returns the objects of a list; none for anything else."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
