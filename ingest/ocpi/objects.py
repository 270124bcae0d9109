"""OCPI objects as they were told: in which words, by whom, and where. Source: OCPI 2.2.1 and 2.1.1."""

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
from ingest.files.items import Item, Refused

NOT_AVAILABLE: Final = "#NA"
"""How OCPI writes a required field that nobody can fill, such as the EVSE of a reservation that assigned none."""

Outcome = Item | str
"""An item, or why an object gives nothing."""

log = structlog.get_logger("ocpi")

_MODULES: Final = frozenset({"locations", "sessions", "cdrs", "commands", "bookings", "tariffs", "tokens"})
_PARTY: Final = re.compile(r"([A-Za-z]{2})[*/-]?([A-Za-z0-9]{3})")


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL tells of the object that was sent there: `…/sessions/BE/BEC/101` is session 101 of BE*BEC."""

    path: str = ""
    module: str | None = None
    party: str | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """One object. `raw` is what it was read from; `party` owns it, unless nobody says who.

    `partial` is the body of a PATCH. `recorded` says that `raw` is the record of the request that carried it, with
    `received_at`, when that came, where the record says so.
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
        """The object as JSON; where it was read as such, no second copy."""
        return orjson.dumps(self.body) if self.recorded else self.raw

    @property
    def source(self) -> str:
        """The event's source."""
        return f"ocpi:{self.party}" if self.party else "ocpi"

    @property
    def id(self) -> str | None:
        """The object's own id, or that in its URL."""
        return text(self.body.get("id")) or (self.address.ids[0] if self.address.ids else None)

    def spot_id(self, evse_uid: Any) -> str | None:
        """The spot of an EVSE: its uid is unique only within its party."""
        uid = text(evse_uid)
        return f"{self.party}*{uid}" if uid and self.party else uid

    def event(self, kind: str, event_id: str, time: str | None, data: dict[str, Any]) -> dict[str, Any]:
        """A CloudEvent that this object gives; what is not known of `data` is left out."""
        known = {name: value for name, value in data.items() if value is not None}
        event = {"specversion": "1.0", "source": self.source, "id": event_id, "type": kind, "data": known}
        return event if time is None else event | {"time": time}


def settled(outcomes: Iterable[Outcome], raws: Sequence[bytes]) -> list[Outcome]:
    """All outcomes of these objects; where one cannot be found, its refusal for each of them. Never raises."""
    try:
        return list(outcomes)
    except MalformedMessage as reason:
        return [Refused(raw, reason) for raw in raws]
    except Exception as bug:
        return [not_readable(raw, bug) for raw in raws]


def not_readable(raw: bytes, bug: Exception) -> Refused:
    """What is said of an object that a mistake of ours came up with: it must not stop its neighbours."""
    log.exception("object not readable", exc_info=bug)
    return Refused(raw, MalformedMessage("NOT_READABLE", f"Reading the object failed: {type(bug).__name__}."))


def address(url: str) -> Address:
    """What the URL tells; nothing where it is none of OCPI's."""
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
    """Country and party as one name, `BE*BEC`; None for what is none."""
    found = _PARTY.fullmatch(name) if isinstance(name, str) else None
    return f"{found[1]}*{found[2]}".upper() if found else None


def party_of(body: dict[str, Any]) -> str | None:
    """Who owns the object, by its own word."""
    return party_name(f"{body.get('country_code')}*{body.get('party_id')}")


def text(value: Any) -> str | None:
    """An identifier or a name; numbers are taken for their digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    stripped = value.strip() if isinstance(value, str) else ""
    return stripped if stripped not in ("", NOT_AVAILABLE) else None


def number(value: Any) -> float | None:
    """A number, also one written as text; None for anything else."""
    try:
        result = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    return result if math.isfinite(result) else None


def nested(value: Any) -> dict[str, Any]:
    """An object inside an object, empty where there is none."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, without what is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def connector(value: Any) -> int:
    """The connector's number; 0, the whole spot, for one with another kind of name."""
    name = text(value) or ""
    return int(name) if re.fullmatch("[0-9]{1,9}", name) else 0


def time(body: dict[str, Any], *fields: str) -> str | None:
    """The first of these fields that is there, RFC 3339; a time without an offset is UTC.

    Raises `MalformedMessage` for one that is no time.
    """
    name = next((name for name in fields if body.get(name) not in (None, "")), None)
    return None if name is None else _time(body[name], name).isoformat()


def _time(value: Any, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        raise MalformedMessage("INVALID_TIME", f"{field} is not an RFC 3339 time: {str(value)[:64]!r}.") from None
    # At the ends of the calendar an offset would leave the years that can be stored.
    has_offset = moment.tzinfo is not None and moment.year not in (1, 9999)
    return moment if has_offset else moment.replace(tzinfo=UTC)
