"""Turns frames into items, each read in the light of those before it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any, Final

import structlog

from domain.errors import MalformedMessage
from ingest.cloudevents.types import SPOT_REGISTERED
from ingest.files.items import IGNORED, Item, RefusedItem, Translated
from ingest.ocpp import faults, reservations, schemas, sessions, transactions
from ingest.ocpp.frame import CALL, Frame, inner, name_or_none
from ingest.ocpp.log import frames
from ingest.ocpp.station import Settled, Station, never_answered

_BOOT_16: Final = {
    "vendor": ("chargePointVendor",),
    "model": ("chargePointModel",),
    "firmware": ("firmwareVersion",),
}
_BOOT_2: Final = {
    "vendor": ("chargingStation", "vendorName"),
    "model": ("chargingStation", "model"),
    "firmware": ("chargingStation", "firmwareVersion"),
}
NOTHING: Final = (IGNORED,)
_ANSWER: Final = "answer"
_REPEATED: Final = "repeated"
_MOST_ACTIONS: Final = 100

Handler = Callable[[Station, Frame], Iterator[Settled]]
AnswerHandler = Callable[[Station, Frame, Frame], Iterator[Settled]]

log = structlog.get_logger("ocpp")


def read_log(
    lines: Iterable[str], station: str | None = None, ignored: Counter[str] | None = None
) -> Iterator[Item]:
    """Yields one item for each frame of a log, with its reception moment.

    `ingest.ocpp.log.frames` describes the forms of a log. Notifications of status and events give faults raised
    and cleared, transactions usage records, reservations that fail faults, and each station is registered with its
    first frame, and again when a BootNotification says more. Every other frame is ignored. The item of a call that
    waits for something comes late: with its answer, with the end of its transaction, or at the end of the log.
    `station` is whose frames a log holds that does not say; `ignored` counts the ignored frames by action, answers
    and repetitions. Raises `SetupError` when the log lacks a column.
    """
    stations = Stations(ignored)
    for frame in frames(lines, station):
        if isinstance(frame, RefusedItem):
            yield frame
        else:
            yield from stations.read(frame)
    yield from stations.finish()


class Stations:
    """Keeps the state of every station, and reads frames into items."""

    def __init__(self, ignored: Counter[str] | None = None) -> None:
        self.known: dict[str, Station] = {}
        self.ignored = Counter[str]() if ignored is None else ignored
        self._latest: datetime | None = None

    def read(self, frame: Frame) -> Iterable[Item]:
        """Returns the items of all frames that this one settles. Never raises."""
        station = self.known.get(frame.station)
        self._latest = frame.received_at or self._latest
        if station is None:
            station = self.known[frame.station] = Station()
        elif not station.calls and (frame.kind != CALL or frame.action in _IRRELEVANT):
            self._ignore(frame)
            return NOTHING
        try:
            late = _overdue(station, frame.received_at)
            return list(self._items(station, chain(late, self._of_frame(station, frame))))
        except Exception as bug:
            # A bug must not stop the neighbours of the frame that triggers it.
            log.exception("frame not readable")
            sentence = f"Reading the frame failed: {type(bug).__name__}."
            return (RefusedItem(frame.raw, MalformedMessage("NOT_READABLE", sentence)),)

    def now(self, at_most: datetime) -> datetime:
        """Returns the time of the latest frame, but never later than `at_most`."""
        return min(self._latest or at_most, at_most)

    def waiting(self, now: datetime) -> set[str]:
        """Returns the stations whose answers are overdue by now."""
        return {
            name
            for name, station in self.known.items()
            if any(reservations.is_overdue(call, now) for call in station.calls.values())
        }

    def overdue(self, now: datetime) -> Iterator[Item]:
        """Yields the items of calls whose answers are overdue by now."""
        for station in self.known.values():
            yield from self._items(station, _overdue(station, now))

    def finish(self) -> Iterator[Item]:
        """Yields the items of frames that still wait at the end of the log."""
        for station in self.known.values():
            yield from self._items(station, _left(station, self._latest))

    def _of_frame(self, station: Station, frame: Frame) -> Iterator[Settled]:
        if frame.kind != CALL:
            yield from _answered(station, frame)
            return
        station.note_rival(frame)
        if (handle := _HANDLERS.get(frame.action) or _of_version(frame)) is None:
            yield frame, []
        elif station.repeats(frame):
            yield replace(frame, action=_REPEATED), []
        else:
            flaws = schemas.flaws(frame.action, frame.payload)
            yield from handle(station, replace(frame, flaws=flaws) if flaws else frame)

    def _items(self, station: Station, settled: Iterable[Settled]) -> Iterator[Item]:
        for each in settled:
            item = _item(station, each)
            if item is IGNORED and isinstance(each, tuple):
                self._ignore(each[0])
            yield item

    def _ignore(self, frame: Frame) -> None:
        name = frame.action or _ANSWER
        # Actions are outside input: their number must be bounded.
        self.ignored[name if name in self.ignored or len(self.ignored) < _MOST_ACTIONS else "other"] += 1


def _of_version(frame: Frame) -> Handler | None:
    """Returns the handler for the version that the frame's form belongs to."""
    both = _BY_VERSION.get(frame.action)
    return both and both[schemas.is_v2(frame.action, frame.payload)]


def _answered(station: Station, answer: Frame) -> Iterator[Settled]:
    """Settles an answer, and the call that waits for it."""
    call = station.answered(answer)
    if call is not None:
        yield from _ANSWERS[call.action](station, call, answer)
    yield answer, []


def _overdue(station: Station, now: datetime | None) -> Iterator[Settled]:
    if now is not None and station.calls:
        late = [key for key, call in station.calls.items() if reservations.is_overdue(call, now)]
        yield from (reservations.unanswered(station.calls.pop(key)) for key in late)


def _left(station: Station, now: datetime | None) -> Iterator[Settled]:
    """Settles what the end of a log leaves without a stop or an answer."""
    running = (each for each in station.transactions.values() if not each.stopped and each.start)
    yield from map(transactions.unstopped, running)
    yield from _overdue(station, now)
    yield from map(never_answered, station.calls.values())


def _boot(station: Station, frame: Frame) -> Iterator[Settled]:
    fields = _BOOT_2 if schemas.is_v2(frame.action, frame.payload) else _BOOT_16
    known = {name: name_or_none(inner(frame.payload, *path)) for name, path in fields.items()}
    details = {name: value for name, value in known.items() if value}
    is_new = bool(details) and station.details != details
    yield frame, [_register(station, frame, details)] if is_new else []


def _item(station: Station, settled: Settled) -> Item:
    if isinstance(settled, RefusedItem):
        return settled
    frame, events = settled
    if station.details is None:
        events = [_register(station, frame, {}), *events]
    return Translated(events, frame.received_at) if events else IGNORED


def _register(station: Station, frame: Frame, details: dict[str, Any]) -> dict[str, Any]:
    station.details = details
    return frame.event(SPOT_REGISTERED, "registered", {"spot_id": frame.station} | details)


_IRRELEVANT: Final = frozenset({"Authorize", "Heartbeat", "SecurityEventNotification"})
_HANDLERS: Final[dict[str, Handler]] = {
    "BootNotification": _boot,
    "CancelReservation": reservations.ask,
    "NotifyEvent": faults.notify_event,
    "ReservationStatusUpdate": reservations.updated,
    "ReserveNow": reservations.ask,
    "StartTransaction": transactions.start,
    "StopTransaction": transactions.stop,
    "TransactionEvent": sessions.transaction_event,
}
# The handlers of an action in the form of version 1.6, and of 2.x. MeterValues of 2.x belong to no transaction:
# those come inside TransactionEvents.
_BY_VERSION: Final[dict[str, tuple[Handler, Handler | None]]] = {
    "MeterValues": (transactions.measured, None),
    "StatusNotification": (faults.status, faults.connector_status),
}
# The handlers of the answers to calls.
_ANSWERS: Final[dict[str, AnswerHandler]] = {
    "CancelReservation": reservations.cancelled,
    "ReserveNow": reservations.reserved,
    "StartTransaction": transactions.started,
}
