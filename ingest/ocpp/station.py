"""The memory of a station between its frames, and its bounds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, TypeVar

import orjson
from pydantic import TypeAdapter

from domain.errors import MalformedMessage
from ingest.files.items import RefusedItem
from ingest.ocpp import schemas
from ingest.ocpp.frame import ERROR, Frame

# A station repeats a frame about every ten seconds until it is answered.
_REPEATED_WITHIN: Final = timedelta(seconds=60)
_MOST_RECENT: Final = 64
_MOST_CALLS: Final = 32
_MOST_RIVALS: Final = 8
_MOST_STANDING: Final = 256
_MOST_RESERVATIONS: Final = 64
_MOST_TRANSACTIONS: Final = 16
_MOST_USED_IDS: Final = 500

# The field that identifies the answer to a call. Station and central system each number their own calls, so that
# one of each may wait with the same unique id.
_STATUS: Final = "status"
_TRANSACTION: Final = "transactionId"
_KNOWN_BY: Final = {"CancelReservation": _STATUS, "ReserveNow": _STATUS, "StartTransaction": _TRANSACTION}

Settled = tuple[Frame, list[dict[str, Any]]] | RefusedItem
"""A frame with the events it gives, or its refusal."""

_Value = TypeVar("_Value")


@dataclass(slots=True)
class ActiveError:
    """An error that was raised and not yet cleared, with its connector."""

    error: dict[str, str]
    connector: int


@dataclass(slots=True)
class Reservation:
    """A reservation that the station accepted. `expires_at` is as the central system wrote it."""

    connector: int
    user: str | None
    expires_at: str | None


@dataclass(slots=True)
class ChargingTransaction:
    """A transaction that has its id.

    `session_id` distinguishes it from others of the station with the same one. `start` is the frame that began it,
    if that was seen. Registers are in kWh. `signed` are the signed values, and `signed_notes` says what of them
    was left out.
    """

    session_id: str
    start: Frame | None = None
    connector: int = 0
    user: str | None = None
    reservation_id: str | None = None
    started_at: str | None = None
    meter_start: float | None = None
    meter_stop: float | None = None
    samples: list[dict[str, Any]] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    signed: list[dict[str, Any]] = field(default_factory=list)
    signed_notes: list[dict[str, Any]] = field(default_factory=list)
    stopped: bool = False


@dataclass(slots=True)
class LastSeen:
    """When a frame was last seen."""

    at: datetime | None


@dataclass(slots=True)
class Station:
    """The memory of one station.

    Everything in it is bounded; the oldest entries go first. `details` are those it was registered with, None
    before; `standing` its active errors by place and name; `calls` the requests that wait for their answers, by
    the field that identifies these and unique id; `rivals` what else was asked since with the unique id of one,
    the latest last; `used_ids` the transaction ids it was ever given, in order; `recent` the recent frames, by
    digest.
    """

    details: dict[str, Any] | None = None
    standing: dict[str, dict[str, ActiveError]] = field(default_factory=dict)
    calls: dict[str, Frame] = field(default_factory=dict)
    rivals: dict[str, list[str]] = field(default_factory=dict)
    reservations: dict[str, Reservation] = field(default_factory=dict)
    transactions: dict[str, ChargingTransaction] = field(default_factory=dict)
    used_ids: dict[str, None] = field(default_factory=dict)
    recent: dict[str, LastSeen] = field(default_factory=dict)

    def repeats(self, frame: Frame) -> bool:
        """Tells whether this frame repeats a recent one; remembers it.

        The same content within a minute, or with the same time of the station's own, is the same message.
        """
        digest = _digest(frame)
        before = self.recent.pop(digest, None)
        remember(self.recent, digest, LastSeen(frame.received_at), _MOST_RECENT)
        return before is not None and bool(frame.plausibly_stated_at or _is_soon(before.at, frame.received_at))

    def await_answer(self, frame: Frame) -> Iterator[Settled]:
        """Keeps a call until its answer.

        An earlier call of its kind with its unique id, or the oldest of too many, is settled as unanswered.
        """
        key = f"{_KNOWN_BY[frame.action]}:{frame.unique_id}"
        forgotten = [self.calls.pop(key)] if key in self.calls else []
        self.calls[key] = frame
        if key.startswith(_STATUS):
            self.rivals.pop(frame.unique_id, None)
        if len(self.calls) > _MOST_CALLS:
            forgotten.append(self.calls.pop(next(iter(self.calls))))
        return (never_answered(call) for call in forgotten)

    def note_rival(self, frame: Frame) -> None:
        """Remembers another call with the unique id of a waiting reservation. One of the answers is its own."""
        waits = f"{_STATUS}:{frame.unique_id}" in self.calls
        if waits and _KNOWN_BY.get(frame.action) != _STATUS:
            before = [action for action in self.rivals.get(frame.unique_id, ()) if action != frame.action]
            remember(self.rivals, frame.unique_id, [*before, frame.action][-_MOST_RIVALS:], _MOST_CALLS)

    def answered(self, answer: Frame) -> Frame | None:
        """Returns and removes the call that this answers; None if none waits for it.

        Of calls with one unique id, the latest that may have this answer is meant. An error to a StartTransaction
        settles nothing: it is sent again.
        """
        is_error = answer.kind == ERROR
        started, reserved = f"{_TRANSACTION}:{answer.unique_id}", f"{_STATUS}:{answer.unique_id}"
        if started in self.calls and not is_error and _TRANSACTION in answer.payload:
            return self.calls.pop(started)
        if reserved not in self.calls:
            return None
        rivals = self.rivals.get(answer.unique_id, [])
        for action in reversed(rivals):
            if is_error or schemas.may_answer(action, answer.payload):
                rivals.remove(action)
                return None
        if is_error or _STATUS in answer.payload:
            self.rivals.pop(answer.unique_id, None)
            return self.calls.pop(reserved)
        return None

    def raise_error(self, place: str, name: str, standing: ActiveError) -> None:
        """Remembers an active error of a connector."""
        if sum(map(len, self.standing.values())) >= _MOST_STANDING:
            self.standing.pop(next(iter(self.standing)))
        self.standing.setdefault(place, {})[name] = standing

    def keep_reservation(self, reservation_id: str, reservation: Reservation) -> None:
        """Remembers an accepted reservation."""
        remember(self.reservations, reservation_id, reservation, _MOST_RESERVATIONS)

    def begin(self, transaction_id: str, transaction: ChargingTransaction) -> ChargingTransaction | None:
        """Remembers a transaction. Returns the oldest when it is dropped for it."""
        self.use_id(transaction_id)
        for other in self.transactions.values():
            if other.stopped:
                other.samples, other.signed = [], []
        return remember(self.transactions, transaction_id, transaction, _MOST_TRANSACTIONS)

    def use_id(self, transaction_id: str) -> None:
        """Remembers that a transaction id was given."""
        remember(self.used_ids, transaction_id, None, _MOST_USED_IDS)


def never_answered(call: Frame) -> Settled:
    """Settles a call that nobody answered. Only a StartTransaction needs its answer to mean anything."""
    if call.action != "StartTransaction":
        return call, []
    sentence = "No answer gave this StartTransaction a transactionId, so its session has no name."
    return RefusedItem(call.raw, MalformedMessage("MISSING_FIELD", sentence))


def remember(memory: dict[str, _Value], key: str, value: _Value, most: int) -> _Value | None:
    """Appends an entry to a memory. Returns the oldest when that was one too many."""
    memory.pop(key, None)
    memory[key] = value
    return memory.pop(next(iter(memory))) if len(memory) > most else None


def dump(station: Station) -> bytes:
    """Serialises a station as JSON."""
    return orjson.dumps(station)


_STATION: Final = TypeAdapter(Station)


def load(text: bytes) -> Station:
    """Restores the station that `dump` wrote. Raises `ValueError` for anything else."""
    return _STATION.validate_json(text)


def _digest(frame: Frame) -> str:
    words = orjson.dumps([frame.unique_id, frame.action, frame.payload], option=orjson.OPT_SORT_KEYS)
    return blake2b(words, digest_size=12).hexdigest()


def _is_soon(before: datetime | None, now: datetime | None) -> bool:
    # Without a log's time, messages differ only by their content.
    return before is None or now is None or abs(now - before) <= _REPEATED_WITHIN
