"""Reads what OCPI partners deliver into events. Source: OCPI 2.2.1, and 2.1.1 where it differs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final

from domain.errors import MalformedMessage, SetupError
from ingest.cloudevents import strict_json
from ingest.files import json_documents
from ingest.files.items import IGNORED, Item, RefusedItem, Translated
from ingest.ocpi import locations
from ingest.ocpi.objects import OcpiObject, Reading, address, nested, not_readable, party_name, party_of, time
from ingest.ocpi.reservations import Commands, booking
from ingest.ocpi.sessions import Sessions

# A location with hundreds of EVSEs, or a session with a period for every minute, is far larger than a message.
_MAX_BYTES: Final = 16 * 1024 * 1024

# Fields that only objects of one kind have; the first matching line counts.
_TELLING: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("booking", frozenset({"reservation_status"})),
    ("answer", frozenset({"result"})),
    ("command", frozenset({"response_url", "reservation_id"})),
    ("cdr", frozenset({"cdr_location", "total_energy", "stop_date_time", "total_time"})),
    ("location", frozenset({"evses", "opening_times", "parking_type"})),
    ("evse", frozenset({"connectors"})),
    ("session", frozenset({"kwh", "charging_periods", "auth_method", "evse_uid", "start_datetime"})),
    ("tariff", frozenset({"elements"})),
    ("token", frozenset({"whitelist", "valid"})),
    # Further fields of a session's patch; and responses without data.
    ("session", frozenset({"total_cost", "end_date_time", "start_date_time", "end_datetime"})),
    ("location", frozenset({"address", "coordinates"})),
    ("page without data", frozenset({"status_code"})),
)
_OF_MODULE: Final = {
    "locations": "location",
    "sessions": "session",
    "cdrs": "cdr",
    "bookings": "booking",
    "tariffs": "tariff",
    "tokens": "token",
}
KINDS: Final = ("location", "evse", "session", "cdr", "command", "answer", "booking")


@dataclass(frozen=True, slots=True)
class Hints:
    """What the objects of a file do not say themselves: kind, party, and URL."""

    kind: str | None = None
    party: str | None = None
    url: str = ""

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise SetupError(f"{self.kind!r} is no kind of OCPI object; there are {', '.join(KINDS)}.")
        if self.party is not None and party_name(self.party) is None:
            raise SetupError(f"{self.party!r} is no party; write country and party like BE*BEC.")


class Partner:
    """Reads everything that one partner delivered into items.

    Locations, sessions, patches, CDRs, commands, bookings. `ignored` counts why objects gave nothing.
    """

    def __init__(self, hints: Hints) -> None:
        self.ignored: Counter[str] = Counter()
        self._kind = hints.kind
        self._party, self._address = party_name(hints.party), address(hints.url)
        self._sessions, self._commands = Sessions(), Commands()
        self._readers: dict[str, Callable[[OcpiObject], Iterator[Reading]]] = {
            "location": _location,
            "evse": _evse,
            "session": self._sessions.session,
            "cdr": self._sessions.cdr,
            "command": self._commands.command,
            "answer": self._commands.answer,
            "booking": booking,
        }

    def items(self, texts: Iterable[bytes]) -> Iterator[Item]:
        """Yields one item for each object in the texts.

        Never raises. Those of sessions and of commands' results come at the end, when everything about them is
        known.
        """
        for content in texts:
            for found in json_documents.objects(content):
                yield from [found] if isinstance(found, RefusedItem) else self._guarded(found)
        yield from map(self._item, chain(self._sessions.finish(), self._commands.finish()))

    def _guarded(self, raw: bytes) -> Iterator[Item]:
        try:
            yield from map(self._item, self._readings(raw))
        except MalformedMessage as reason:
            yield RefusedItem(raw, reason)
        except Exception as bug:
            yield not_readable(raw, bug)

    def _readings(self, raw: bytes) -> Iterator[Reading]:
        for obj in self._objects(raw):
            kind = self._kind or _kind(obj)
            if kind is None:
                sentence = "No field tells which OCPI object this is; say it with --kind."
                raise MalformedMessage("UNKNOWN_OBJECT", sentence)
            read = self._readers.get(kind)
            yield from [kind] if read is None else read(obj)

    def _item(self, reading: Reading) -> Item:
        if isinstance(reading, str):
            self.ignored[reading] += 1
            return IGNORED
        return reading

    def _objects(self, raw: bytes) -> Iterator[OcpiObject]:
        """Yields the object; of a recorded request, those that it carried."""
        value = strict_json.loads(raw, max_bytes=_MAX_BYTES)
        if not isinstance(value.get("url"), str) or not isinstance(value.get("body"), dict | list):
            yield OcpiObject(value, raw, self._address, party_of(value) or self._address.party or self._party)
            return
        sent_to, partial = address(value["url"]), str(value.get("method")).upper() == "PATCH"
        asked = {"response_url": nested(value["body"]).get("response_url")}
        responses = [asked | response for response in _bodies(value.get("response"))]
        for body in (*_bodies(value["body"]), *responses):
            party = party_of(body) or sent_to.party or self._party
            yield OcpiObject(body, raw, sent_to, party, partial, True, _received_at(value))


def _bodies(value: Any) -> list[dict[str, Any]]:
    """Returns the objects of a request or a response, without OCPI's envelope."""
    if isinstance(value, dict) and "data" in value:
        value = value["data"]
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]


def _received_at(record: dict[str, Any]) -> datetime | None:
    stated = time(record, "timestamp")
    return None if stated is None else datetime.fromisoformat(stated)


def _kind(obj: OcpiObject) -> str | None:
    fields = obj.body.keys()
    by_fields = next((kind for kind, telling in _TELLING if not telling.isdisjoint(fields)), None)
    return by_fields or _OF_MODULE.get(obj.address.module or "")


def _location(obj: OcpiObject) -> Iterator[Reading]:
    events = locations.registrations(obj, obj.body)
    yield Translated(events, obj.received_at) if events else "location without an EVSE"


def _evse(obj: OcpiObject) -> Iterator[Reading]:
    events = locations.evse_registration(obj)
    yield Translated(events, obj.received_at) if events else "EVSE that was removed"
