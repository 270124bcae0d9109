"""OCPI objects with their party and address, and readers of their fields. Source: OCPI 2.2.1 and 2.1.1."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import orjson
import structlog

from domain.errors import MalformedMessage
from ingest.files.items import Item, RefusedItem

NOT_AVAILABLE: Final = "#NA"
"""OCPI's value of a required field that cannot be filled, such as the EVSE of a reservation that assigned none."""

Reading = Item | str
"""An item, or why an object gives nothing."""

log = structlog.get_logger("ocpi")

_MODULES: Final = frozenset({"locations", "sessions", "cdrs", "commands", "bookings", "tariffs", "tokens"})
_PARTY: Final = re.compile(r"([A-Za-z]{2})[*/-]?([A-Za-z0-9]{3})")


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL says of its object: `…/sessions/BE/BEC/101` is session 101 of BE*BEC."""

    path: str = ""
    module: str | None = None
    party: str | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OcpiObject:
    """One OCPI object and the party that owns it, if known.

    `raw` is what it was read from. `partial` is the body of a PATCH. `recorded` says that `raw` is the record of
    the request that carried it, with `received_at`, when that arrived, where the record says so.
    """

    body: dict[str, Any]
    raw: bytes
    address: Address
    party: str | None = None
    partial: bool = False
    recorded: bool = False
    received_at: datetime | None = None

    @property
    def json(self) -> bytes:
        """Returns the object as JSON, without a second copy where it was read as such."""
        return orjson.dumps(self.body) if self.recorded else self.raw

    @property
    def source(self) -> str:
        """Returns the event's source."""
        return f"ocpi:{self.party}" if self.party else "ocpi"

    @property
    def id(self) -> str | None:
        """Returns the object's own id, or that in its URL."""
        return text(self.body.get("id")) or (self.address.ids[0] if self.address.ids else None)

    def spot_id(self, evse_uid: Any) -> str | None:
        """Returns the spot id of an EVSE, whose uid is unique only within its party."""
        uid = text(evse_uid)
        return f"{self.party}*{uid}" if uid and self.party else uid

    def event(self, kind: str, event_id: str, time: str | None, data: dict[str, Any]) -> dict[str, Any]:
        """Builds a CloudEvent, without unknown fields of `data`."""
        known = {name: value for name, value in data.items() if value is not None}
        event = {"specversion": "1.0", "source": self.source, "id": event_id, "type": kind, "data": known}
        return event if time is None else event | {"time": time}


def settled(readings: Iterable[Reading], raws: Sequence[bytes]) -> list[Reading]:
    """Evaluates readings; if that fails, refuses every object involved. Never raises."""
    try:
        return list(readings)
    except MalformedMessage as reason:
        return [RefusedItem(raw, reason) for raw in raws]
    except Exception as bug:
        return [not_readable(raw, bug) for raw in raws]


def not_readable(raw: bytes, bug: Exception) -> RefusedItem:
    """Refuses an object that triggered a bug, which must not stop its neighbours."""
    log.exception("object not readable", exc_info=bug)
    return RefusedItem(raw, MalformedMessage("NOT_READABLE", f"Reading the object failed: {type(bug).__name__}."))


def address(url: str) -> Address:
    """Parses a URL; the address is empty where it is none of OCPI's."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return Address()
    segments = [unquote(segment, errors="replace") for segment in path.split("/") if segment]
    module = next((segment for segment in segments if segment in _MODULES), None)
    rest = segments[segments.index(module) + 1 :] if module else []
    named = party_name("*".join(rest[:2]))
    return Address(path, module, named, tuple(rest[2:] if named else rest))


def party_name(name: Any) -> str | None:
    """Formats country and party as `BE*BEC`; None for anything else."""
    found = _PARTY.fullmatch(name) if isinstance(name, str) else None
    return f"{found[1]}*{found[2]}".upper() if found else None


def party_of(body: dict[str, Any]) -> str | None:
    """Returns the party that owns the object, by its own fields."""
    return party_name(f"{body.get('country_code')}*{body.get('party_id')}")


def text(value: Any) -> str | None:
    """Returns an identifier or a name as text; None for an empty one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    stripped = value.strip() if isinstance(value, str) else ""
    return stripped if stripped not in ("", NOT_AVAILABLE) else None


def number(value: Any) -> float | None:
    """Parses a number, also one written as text; None for anything else."""
    try:
        result = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    return result if math.isfinite(result) else None


def nested(value: Any) -> dict[str, Any]:
    """Returns an object inside an object, empty where there is none."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[dict[str, Any]]:
    """Returns the objects of a list, without anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def connector(value: Any) -> int:
    """Returns the connector's number; 0, the whole spot, for another kind of name."""
    name = text(value) or ""
    return int(name) if re.fullmatch("[0-9]{1,9}", name) else 0


def time(body: dict[str, Any], *fields: str) -> str | None:
    """Returns the first of these fields that is set, in RFC 3339.

    A time without an offset is UTC. Raises `MalformedMessage` for one that is no time.
    """
    name = next((name for name in fields if body.get(name) not in (None, "")), None)
    return None if name is None else _time(body[name], name).isoformat()


def _time(value: Any, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        raise MalformedMessage("INVALID_TIME", f"{field} is not an RFC 3339 time: {str(value)[:64]!r}.") from None
    # At the ends of the calendar, an offset would lead out of the years that can be stored.
    has_offset = moment.tzinfo is not None and moment.year not in (1, 9999)
    return moment if has_offset else moment.replace(tzinfo=UTC)
