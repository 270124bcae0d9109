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
from ingest.files.items import Refused, Translated
from ingest.ocpi.locations import registrations
from ingest.ocpi.objects import (
    NOT_AVAILABLE,
    Address,
    Outcome,
    Told,
    connector,
    listed,
    nested,
    number,
    settled,
    text,
    time,
)

_NOT_STARTED: Final = frozenset({"PENDING", "RESERVATION"})
_UNDER_WAY: Final = _NOT_STARTED | {"ACTIVE"}
_INVALID: Final = "INVALID"
_MOST_SAMPLES: Final = 100
_REPLACED: Final = "word on a session that another one of the same moment, or the whole session later, replaces"
_NO_EVSE: Final = "session of a reservation that was assigned no EVSE"


@dataclass(frozen=True, slots=True)
class _Word:
    """What was said of a session once, kept until everything is read. `body` is JSON, which takes least room."""

    said_at: datetime
    partial: bool
    body: bytes
    raw: bytes
    received_at: datetime | None

    @property
    def place(self) -> tuple[datetime, bool, bytes]:
        """Its place among the words on the session, whatever the order in which they were read."""
        return self.said_at, self.partial, self.body


class Sessions:
    """Every word on every session. In the end each session is told from its first word to its last.

    A whole object says everything anew, a patch changes what it names and adds its charging periods. So every
    moment at which something was said gives one usage record, and the order in which the words are read does not
    matter.
    """

    def __init__(self) -> None:
        self._words: dict[tuple[str | None, str], list[_Word]] = {}
        # CDRs that name no session, each beside its JSON.
        self._unnamed: list[tuple[Told, bytes]] = []
        # By spot and id, and by spot and beginning, the sessions that they may be of.
        self._known: set[tuple[str, str]] = set()
        self._begun: dict[tuple[str, datetime], set[str]] = defaultdict(set)
        self._registered: set[bytes] = set()

    def session(self, told: Told) -> Iterator[Outcome]:
        """Keeps a session or a patch. Raises `MalformedMessage` where nothing tells which session, or when."""
        if told.id is None:
            sentence = "No id names the session; that of a PATCH is in its URL: hand that over too, or as --url."
            raise MalformedMessage("MISSING_FIELD", sentence)
        partial = told.partial or not ("evse_uid" in told.body or "location" in told.body)
        said_at = time(told.body, "last_updated") or (None if partial else _end(told.body) or _start(told.body))
        if said_at is None:
            raise MalformedMessage("MISSING_FIELD", "Without last_updated nobody knows when this was said.")
        word = _Word(datetime.fromisoformat(said_at), partial, told.json, told.raw, told.received_at)
        self._words.setdefault((told.party, told.id), []).append(word)
        yield from ()

    def cdr(self, told: Told) -> Iterator[Outcome]:
        """The usage record of a CDR: the last word on its session, unless it takes another CDR back."""
        if told.body.get("credit") is True:
            yield "credit CDR, which takes another one back"
            return
        session_id = text(told.body.get("session_id"))
        if session_id is not None:
            yield self._record(told, session_id, f"cdr:{told.id or session_id}")
        elif told.id is None:
            raise MalformedMessage("MISSING_FIELD", "The CDR has neither session_id nor id.")
        else:
            self._unnamed.append((replace(told, body={}), told.json))

    def finish(self) -> Iterator[Outcome]:
        """What the sessions come to, one outcome for each word, and then the CDRs that name none. Never raises."""
        while self._words:
            (party, session_id), words = self._words.popitem()
            words.sort(key=lambda word: word.place)
            yield from settled(self._tell(party, session_id, words), [word.raw for word in words])
        for told, body in self._unnamed:
            yield from settled(self._unnamed_cdr(told, body), [told.raw])

    def _unnamed_cdr(self, told: Told, body: bytes) -> Iterator[Outcome]:
        """The session of a CDR that names none is that of its own id, or the one that began on its EVSE just then.

        It may leave it out where the partner has no Sessions module, where a reservation never became a session,
        and always in 2.1.1.
        """
        told = replace(told, body=orjson.loads(body))
        outcome = self._record(told, str(told.id), f"cdr:{told.id}")
        if isinstance(outcome, Translated):
            usage = outcome.events[-1]["data"]
            begun = self._begun.get(_beginning(usage), set()) if "started_at" in usage else set()
            if (usage["spot_id"], told.id) not in self._known and len(begun) == 1:
                [usage["session_id"]] = begun
        yield outcome

    def _tell(self, party: str | None, session_id: str, words: list[_Word]) -> Iterator[Outcome]:
        if all(word.partial for word in words):
            yield from (_of_nothing(word, session_id) for word in words)
            return
        state: dict[str, Any] | None = None
        for _, at_once in groupby(words, key=lambda word: word.said_at):
            *earlier, last = at_once
            for word in (*earlier, last):
                state = _applied(state, word)
            yield from [_REPLACED] * len(earlier)
            yield self._outcome(party, session_id, last, state)

    def _outcome(self, party: str | None, session_id: str, word: _Word, state: dict[str, Any] | None) -> Outcome:
        if state is None:
            return _REPLACED
        told = Told(state, word.raw, Address(), party, received_at=word.received_at)
        try:
            outcome = self._record(told, session_id, f"session:{session_id}")
        except MalformedMessage as reason:
            return Refused(word.raw, reason)
        if self._unnamed and isinstance(outcome, Translated):
            usage = outcome.events[-1]["data"]
            self._known.add((usage["spot_id"], session_id))
            if "started_at" in usage:
                self._begun[_beginning(usage)].add(session_id)
        return outcome

    def _record(self, told: Told, session_id: str, event_id: str) -> Outcome:
        body = told.body
        uid, connector_id = _evse(body)
        if uid == NOT_AVAILABLE:
            return _NO_EVSE
        spot_id = told.spot_id(uid)
        if spot_id is None:
            raise MalformedMessage("MISSING_FIELD", "No evse_uid names the spot.")
        status, start, end = text(body.get("status")), _start(body), _end(body)
        samples = _samples(body)
        data = {
            "spot_id": spot_id,
            "session_id": session_id,
            "connector_id": connector(connector_id),
            # Until it has started, this is when it was made.
            "started_at": None if status in _NOT_STARTED else start,
            "ended_at": end,
            "energy_kwh": body.get("kwh", body.get("total_energy")),
            "periods_kwh": _sum(samples),
            "under_way": True if status in _UNDER_WAY else None,
            "reservation_id": text(body.get("authorization_reference")),
            "user": _user(body),
            "stop_reason": _INVALID if status == _INVALID else None,
            "samples": samples[:_MOST_SAMPLES] or None,
        }
        event = told.event(USAGE_RECORDED, event_id, time(body, "last_updated") or end or start, data)
        return Translated([*self._news(told), event], told.received_at)

    def _news(self, told: Told) -> list[dict[str, Any]]:
        """The spots of a location that came inside the session (2.1.1), told once."""
        news = []
        for event in registrations(told, nested(told.body.get("location"))):
            key = orjson.dumps(event)
            if key not in self._registered:
                self._registered.add(key)
                news.append(event)
        return news


def _of_nothing(word: _Word, session_id: str) -> Refused:
    sentence = f"A patch of session {session_id[:64]}, which was not read; import the whole session with it."
    return Refused(word.raw, MalformedMessage("UNKNOWN_SESSION", sentence))


def _applied(state: dict[str, Any] | None, word: _Word) -> dict[str, Any] | None:
    said: dict[str, Any] = orjson.loads(word.body)
    if not word.partial:
        return said
    if state is None:
        return None
    periods = listed(state.get("charging_periods"))
    added = [period for period in listed(said.get("charging_periods")) if period not in periods]
    named = {name: value for name, value in said.items() if value is not None}
    return state | named | {"charging_periods": periods + added}


def _beginning(usage: dict[str, Any]) -> tuple[str, datetime]:
    """Where and when a session began, of which each EVSE has one at a time."""
    return usage["spot_id"], datetime.fromisoformat(usage["started_at"])


def _start(body: dict[str, Any]) -> str | None:
    return time(body, "start_date_time", "start_datetime")


def _end(body: dict[str, Any]) -> str | None:
    return time(body, "end_date_time", "stop_date_time", "end_datetime")


def _evse(body: dict[str, Any]) -> tuple[Any, Any]:
    """The uid of the EVSE and the id of its connector, from wherever the version writes them."""
    place = nested(body.get("cdr_location")) or body
    if "evse_uid" in place:
        return place["evse_uid"], place.get("connector_id")
    # 2.1.1 embeds the location, with just the EVSE and the connector that were used.
    match listed(nested(body.get("location")).get("evses")):
        case [evse]:
            connectors = listed(evse.get("connectors"))
            return evse.get("uid"), connectors[0].get("id") if len(connectors) == 1 else None
    return None, None


def _user(body: dict[str, Any]) -> str | None:
    token = nested(body.get("cdr_token"))
    return text(token.get("contract_id")) or text(token.get("uid")) or text(body.get("auth_id"))


def _energy(period: dict[str, Any]) -> float | None:
    """What was charged in a period. ENERGY_IMPORT and ENERGY_EXPORT may be totals, so nothing is made of them."""
    dimensions = listed(period.get("dimensions"))
    return next((number(each.get("volume")) for each in dimensions if each.get("type") == "ENERGY"), None)


def _samples(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The energy of every charging period that tells one."""
    periods = listed(body.get("charging_periods"))
    energies = ((period.get("start_date_time"), _energy(period)) for period in periods)
    return [{"at": start, "energy_kwh": energy} for start, energy in energies if energy is not None]


def _sum(samples: list[dict[str, Any]]) -> float | None:
    return number(round(sum(sample["energy_kwh"] for sample in samples), 6)) if samples else None
