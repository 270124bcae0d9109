"""The RabbitMQ door of OCPP frames: the message log of a back-end, as it is written.

A frame means something only after those before it, so one consumer at a time gets them all, in order, and keeps
what must be remembered of each station in PostgreSQL: after the events that follow are durable, and before the
frames are acknowledged. Frames that come again after a crash find the memory as it was before them, and give the
same events; or as it is after them, and are known as repetitions.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from domain.errors import MalformedMessage
from domain.field.batch import Batch
from domain.ports.store import Clock, HandOver, StationMemory
from ingest.cloudevents import decode as wire
from ingest.cloudevents.decode import Reception
from ingest.files.items import Item, Refused, Translated
from ingest.ocpp import log, station
from ingest.ocpp.frame import Frame
from ingest.ocpp.reader import NOTHING, Stations
from ingest.ocpp.station import Station
from ingest.rabbitmq import topology
from ingest.rabbitmq.consumer import Arrived, Durably, no_user

_DOOR: Final = "ocpp"

logger = structlog.get_logger("ocpp")


class FrameDoor:
    """Implements `ingest.rabbitmq.consumer.Door`.

    A message is a frame as a log's line holds it: a JSON object with the time, the station and the frame, or the
    bare frame, when its routing key is `ocpp.` and the station, and the time is the message's own.
    """

    queues: Sequence[str] = (topology.OCPP_QUEUE,)

    def __init__(
        self,
        hand_over: HandOver,
        memory: StationMemory,
        clock: Clock,
        ignored: Callable[[Mapping[str, int]], None],
        *,
        require_user_id: bool = False,
    ) -> None:
        self._hand_over = hand_over
        self._memory = memory
        self._clock = clock
        self._ignored = ignored
        self._require_user_id = require_user_id
        self.open()

    def open(self) -> None:
        """What was remembered may be old: another consumer may have had the queue meanwhile."""
        self._stations = Stations()
        self._is_active = False

    def take(self, arrived: Sequence[Arrived]) -> Durably:
        """Reads the frames; the memory that they leave is kept after the events that they give."""
        now = self._clock()
        read = [(message, self._frame(message, now)) for message in arrived]
        self._recall(frame.station for _, frame in read if isinstance(frame, Frame))
        self._is_active = True
        batch, changed = Batch(), set[str]()
        for message, frame in read:
            items = (frame,) if isinstance(frame, Refused) else self._stations.take(frame)
            if items is not NOTHING:
                _sort_in(batch, items, Reception(now, _DOOR, message.user_id))
                changed.add(getattr(frame, "station", ""))
        # By the frames' own time: behind a backlog an answer may be here and not yet read.
        return self._durably(batch, changed, self._stations.now(now))

    def idle(self) -> Durably | None:
        """Everything was read, so what has no answer by now is overdue; whoever has the queue says so."""
        if not self._is_active:
            return None
        batch = Batch()
        durably = self._durably(batch, set(), self._clock())
        return durably if len(batch) else None

    def _durably(self, batch: Batch, changed: set[str], now: datetime) -> Durably:
        changed |= self._stations.waiting(now)
        _sort_in(batch, self._stations.overdue(now), Reception(now, _DOOR))
        known = self._stations.known
        kept = {
            name: (station.dump(known[name]).decode(), bool(known[name].calls)) for name in changed & known.keys()
        }
        ignored, self._stations.ignored = self._stations.ignored, Counter()

        def durably() -> None:
            if len(batch):
                self._hand_over(batch)
            if kept:
                self._memory.keep(kept)
            self._ignored(ignored)

        return durably

    def _recall(self, names: Iterable[str]) -> None:
        known = self._stations.known
        unknown = sorted({name for name in names if name not in known})
        if unknown:
            for name, memory in self._memory.recall(unknown).items():
                known.setdefault(name, _remembered(name, memory))

    def _frame(self, message: Arrived, now: datetime) -> Frame | Refused:
        text = message.body.decode("utf-8", "surrogateescape")
        if self._require_user_id and message.user_id is None:
            return Refused(message.body, no_user())
        try:
            return _stamped(log.frame_of(_addressed(log.entry_of(text), message)), now)
        except MalformedMessage as reason:
            return Refused(message.body, reason)
        except Exception as bug:
            # A mistake of ours must not stop the neighbours of the message that found it.
            logger.exception("message not readable")
            sentence = f"Reading the message failed: {type(bug).__name__}."
            return Refused(message.body, MalformedMessage("NOT_READABLE", sentence))


def _remembered(name: str, memory: str) -> Station:
    try:
        return station.load(memory.encode())
    except ValueError:
        # Of another version of the software; what its frames were about is lost, and they go on.
        logger.warning("memory not readable", station=name)
        return Station()


def _addressed(entry: log.Entry, message: Arrived) -> log.Entry:
    """The entry with what only the message around it tells."""
    whose = message.routing_key.partition(".")[2] or None
    return replace(entry, station=entry.station or whose, timestamp=entry.timestamp or message.sent_at)


def _stamped(frame: Frame, now: datetime) -> Frame:
    """A frame without a time was received now, which its identity must not say: it may come again."""
    return frame if frame.received_at else replace(frame, received_at=now)


def _sort_in(batch: Batch, items: Iterable[Item], reception: Reception) -> None:
    for item in items:
        if isinstance(item, Refused):
            batch.quarantined.append(wire.quarantined(item.raw, item.reason, reception))
        elif isinstance(item, Translated):
            came = replace(reception, at=item.received_at or reception.at)
            for event in item.events:
                _take_in(batch, event, came)


def _take_in(batch: Batch, event: dict[str, object], reception: Reception) -> None:
    try:
        wire.sort_in(batch, event, reception)
    except MalformedMessage as reason:
        batch.quarantined.append(wire.quarantined(json.dumps(event).encode(), reason, reception))
