"""Sessions, their patches and CDRs as usage records. Source: OCPI 2.2.1 and 2.1.1, modules Sessions and CDRs."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import orjson

from domain.errors import MalformedMessage
from ingest.cloudevents.types import USAGE_RECORDED
from ingest.files.items import RefusedItem, Translated
from ingest.ocpi.locations import registrations
from ingest.ocpi.objects import (
    NOT_AVAILABLE,
    Address,
    OcpiObject,
    Reading,
    connector,
    listed,
    nested,
    number,
    settled,
    text,
    time,
)
from ingest.ocpi.signed_values import signed_values

_NOT_STARTED: Final = frozenset({"PENDING", "RESERVATION"})
_UNDER_WAY: Final = _NOT_STARTED | {"ACTIVE"}
_INVALID: Final = "INVALID"
_MOST_SAMPLES: Final = 100
_REPLACED: Final = "word on a session that another one of the same moment, or the whole session later, replaces"
_NO_EVSE: Final = "session of a reservation that was assigned no EVSE"


@dataclass(frozen=True, slots=True)
class _Update:
    """One update of a session, kept until everything is read. `body` is JSON, which takes the least memory."""

    updated_at: datetime
    partial: bool
    body: bytes
    raw: bytes
    received_at: datetime | None

    @property
    def place(self) -> tuple[datetime, bool, bytes]:
        """Returns the sort key among the session's updates, independent of reading order."""
        return self.updated_at, self.partial, self.body


class Sessions:
    """Collects every update of every session, and replays each session at the end.

    A whole object replaces everything, a patch changes what it names and adds its charging periods. So every
    moment of an update gives one usage record, and the order in which updates are read does not matter.
    """

    def __init__(self) -> None:
        self._updates: dict[tuple[str | None, str], list[_Update]] = {}
        # CDRs without a session, each with its JSON.
        self._unnamed: list[tuple[OcpiObject, bytes]] = []
        # The sessions that these may belong to, by spot and id, and by spot and start.
        self._known: set[tuple[str, str]] = set()
        self._begun: dict[tuple[str, datetime], set[str]] = defaultdict(set)
        self._registered: set[bytes] = set()

    def session(self, obj: OcpiObject) -> Iterator[Reading]:
        """Keeps a session or a patch. Raises `MalformedMessage` where the session or the time is unknown."""
        if obj.id is None:
            sentence = "No id names the session; that of a PATCH is in its URL: hand that over too, or as --url."
            raise MalformedMessage("MISSING_FIELD", sentence)
        partial = obj.partial or not ("evse_uid" in obj.body or "location" in obj.body)
        updated_at = time(obj.body, "last_updated") or (None if partial else _end(obj.body) or _start(obj.body))
        if updated_at is None:
            raise MalformedMessage("MISSING_FIELD", "Without last_updated nobody knows when this was said.")
        update = _Update(datetime.fromisoformat(updated_at), partial, obj.json, obj.raw, obj.received_at)
        self._updates.setdefault((obj.party, obj.id), []).append(update)
        yield from ()

    def cdr(self, obj: OcpiObject) -> Iterator[Reading]:
        """Reads the usage record of a CDR, the last update of its session.

        A credit CDR takes the one back that states as much energy; its own is negative.
        """
        session_id = text(obj.body.get("session_id"))
        if obj.body.get("credit") is True and session_id is None:
            yield "credit CDR that names no session"
        elif session_id is not None:
            yield self._record(obj, session_id, f"cdr:{obj.id or session_id}")
        elif obj.id is None:
            raise MalformedMessage("MISSING_FIELD", "The CDR has neither session_id nor id.")
        else:
            self._unnamed.append((replace(obj, body={}), obj.json))

    def finish(self) -> Iterator[Reading]:
        """Yields one reading for each update, then the CDRs without a session. Never raises."""
        while self._updates:
            (party, session_id), updates = self._updates.popitem()
            updates.sort(key=lambda update: update.place)
            yield from settled(self._replay(party, session_id, updates), [update.raw for update in updates])
        for obj, body in self._unnamed:
            yield from settled(self._unnamed_cdr(obj, body), [obj.raw])

    def _unnamed_cdr(self, obj: OcpiObject, body: bytes) -> Iterator[Reading]:
        """Finds the session of a CDR that names none.

        It is that of its own id, or the one that began on its EVSE just then. A CDR may name none where the
        partner has no Sessions module, where a reservation never became a session, and always in 2.1.1.
        """
        obj = replace(obj, body=orjson.loads(body))
        reading = self._record(obj, str(obj.id), f"cdr:{obj.id}")
        if isinstance(reading, Translated):
            usage = reading.events[-1]["data"]
            begun = self._begun.get(_beginning(usage), set()) if "started_at" in usage else set()
            if (usage["spot_id"], obj.id) not in self._known and len(begun) == 1:
                [usage["session_id"]] = begun
        yield reading

    def _replay(self, party: str | None, session_id: str, updates: list[_Update]) -> Iterator[Reading]:
        if all(update.partial for update in updates):
            yield from (_of_nothing(update, session_id) for update in updates)
            return
        state: dict[str, Any] | None = None
        for _, at_once in groupby(updates, key=lambda update: update.updated_at):
            *earlier, last = at_once
            for update in (*earlier, last):
                state = _applied(state, update)
            yield from [_REPLACED] * len(earlier)
            yield self._reading(party, session_id, last, state)

    def _reading(
        self, party: str | None, session_id: str, update: _Update, state: dict[str, Any] | None
    ) -> Reading:
        if state is None:
            return _REPLACED
        obj = OcpiObject(state, update.raw, Address(), party, received_at=update.received_at)
        try:
            reading = self._record(obj, session_id, f"session:{session_id}")
        except MalformedMessage as reason:
            return RefusedItem(update.raw, reason)
        if self._unnamed and isinstance(reading, Translated):
            usage = reading.events[-1]["data"]
            self._known.add((usage["spot_id"], session_id))
            if "started_at" in usage:
                self._begun[_beginning(usage)].add(session_id)
        return reading

    def _record(self, obj: OcpiObject, session_id: str, event_id: str) -> Reading:
        body = obj.body
        uid, connector_id = _evse(body)
        if uid == NOT_AVAILABLE:
            return _NO_EVSE
        spot_id = obj.spot_id(uid)
        if spot_id is None:
            raise MalformedMessage("MISSING_FIELD", "No evse_uid names the spot.")
        status, start, end = text(body.get("status")), _start(body), _end(body)
        samples, credit = _samples(body), body.get("credit") is True
        energy = body.get("kwh", body.get("total_energy"))
        signed, notes = signed_values(body)
        data = {
            "spot_id": spot_id,
            "session_id": session_id,
            "connector_id": connector(connector_id),
            # Before the session has started, this field is when it was created.
            "started_at": None if status in _NOT_STARTED else start,
            "ended_at": end,
            "energy_kwh": _positive(energy) if credit else energy,
            "takes_back": True if credit else None,
            "periods_kwh": _sum(samples),
            "under_way": True if status in _UNDER_WAY else None,
            "reservation_id": text(body.get("authorization_reference")),
            "user": _user(body),
            "stop_reason": _INVALID if status == _INVALID else None,
            "samples": [*samples[:_MOST_SAMPLES], *notes] or None,
            "signed": signed or None,
        }
        event = obj.event(USAGE_RECORDED, event_id, time(body, "last_updated") or end or start, data)
        return Translated([*self._new_registrations(obj), event], obj.received_at)

    def _new_registrations(self, obj: OcpiObject) -> list[dict[str, Any]]:
        """Registers the spots of a location inside the session (2.1.1), each once."""
        registered = []
        for event in registrations(obj, nested(obj.body.get("location"))):
            key = orjson.dumps(event)
            if key not in self._registered:
                self._registered.add(key)
                registered.append(event)
        return registered


def _of_nothing(update: _Update, session_id: str) -> RefusedItem:
    sentence = f"A patch of session {session_id[:64]}, which was not read; import the whole session with it."
    return RefusedItem(update.raw, MalformedMessage("UNKNOWN_SESSION", sentence))


def _applied(state: dict[str, Any] | None, update: _Update) -> dict[str, Any] | None:
    content: dict[str, Any] = orjson.loads(update.body)
    if not update.partial:
        return content
    if state is None:
        return None
    periods = listed(state.get("charging_periods"))
    added = [period for period in listed(content.get("charging_periods")) if period not in periods]
    named = {name: value for name, value in content.items() if value is not None}
    return state | named | {"charging_periods": periods + added}


def _beginning(usage: dict[str, Any]) -> tuple[str, datetime]:
    """Returns where and when a session began, which identifies it on its EVSE."""
    return usage["spot_id"], datetime.fromisoformat(usage["started_at"])


def _positive(energy: Any) -> Any:
    """Returns the energy that a credit takes back; whatever is no number stays as it is."""
    value = number(energy)
    return energy if value is None else abs(value)


def _start(body: dict[str, Any]) -> str | None:
    return time(body, "start_date_time", "start_datetime")


def _end(body: dict[str, Any]) -> str | None:
    return time(body, "end_date_time", "stop_date_time", "end_datetime")


def _evse(body: dict[str, Any]) -> tuple[Any, Any]:
    """Returns the EVSE's uid and its connector's id. Each version of OCPI writes them elsewhere."""
    place = nested(body.get("cdr_location")) or body
    if "evse_uid" in place:
        return place["evse_uid"], place.get("connector_id")
    # 2.1.1 embeds the location, with only the EVSE and the connector that were used.
    match listed(nested(body.get("location")).get("evses")):
        case [evse]:
            connectors = listed(evse.get("connectors"))
            return evse.get("uid"), connectors[0].get("id") if len(connectors) == 1 else None
    return None, None


def _user(body: dict[str, Any]) -> str | None:
    token = nested(body.get("cdr_token"))
    return text(token.get("contract_id")) or text(token.get("uid")) or text(body.get("auth_id"))


def _energy(period: dict[str, Any]) -> float | None:
    """Returns the energy of a period, kWh. ENERGY_IMPORT and ENERGY_EXPORT may be totals, so they are ignored."""
    dimensions = listed(period.get("dimensions"))
    return next((number(each.get("volume")) for each in dimensions if each.get("type") == "ENERGY"), None)


def _samples(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the energy of every charging period that states one."""
    periods = listed(body.get("charging_periods"))
    energies = ((period.get("start_date_time"), _energy(period)) for period in periods)
    return [{"at": start, "energy_kwh": energy} for start, energy in energies if energy is not None]


def _sum(samples: list[dict[str, Any]]) -> float | None:
    return number(round(sum(sample["energy_kwh"] for sample in samples), 6)) if samples else None
