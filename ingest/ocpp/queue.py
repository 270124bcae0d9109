"""Listens to the RabbitMQ queue of OCPP frames, a back-end's message log.

A frame means something only after those before it, so one consumer at a time gets them all, in order, and stores
what must be remembered of each station in PostgreSQL: after the events that follow are durable, and before the
frames are acknowledged. Frames that are delivered again after a crash find the memory as it was before them, and
give the same events; or as it is after them, and are recognised as repetitions.
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
from domain.ports.store import Clock, DeliverBatch, StationMemory
from ingest.cloudevents import decode
from ingest.cloudevents.decode import Reception
from ingest.files.items import Item, RefusedItem, Translated
from ingest.ocpp import log, station
from ingest.ocpp.frame import Frame
from ingest.ocpp.reader import NOTHING, Stations
from ingest.ocpp.station import Station
from ingest.rabbitmq import topology
from ingest.rabbitmq.consumer import Flush, IncomingMessage, missing_user

_ENDPOINT: Final = "ocpp"

logger = structlog.get_logger("ocpp")


class FrameListener:
    """Implements `ingest.rabbitmq.consumer.Listener`.

    A message is a frame as a log's line holds it: a JSON object with the time, the station and the frame, or the
    bare frame, when its routing key is `ocpp.` and the station, and the time is the message's own.
    """

    queues: Sequence[str] = (topology.OCPP_QUEUE,)

    def __init__(
        self,
        deliver_batch: DeliverBatch,
        memory: StationMemory,
        clock: Clock,
        ignored: Callable[[Mapping[str, int]], None],
        *,
        require_user_id: bool = False,
    ) -> None:
        self._deliver_batch = deliver_batch
        self._memory = memory
        self._clock = clock
        self._ignored = ignored
        self._require_user_id = require_user_id
        self.open()

    def open(self) -> None:
        """Discards the memory: another consumer may have had the queue meanwhile."""
        self._stations = Stations()
        self._is_active = False

    def read(self, messages: Sequence[IncomingMessage]) -> Flush:
        """Reads frames; the changed memory is stored after their events."""
        now = self._clock()
        frames = [(message, self._frame(message, now)) for message in messages]
        self._recall(frame.station for _, frame in frames if isinstance(frame, Frame))
        self._is_active = True
        batch, changed = Batch(), set[str]()
        for message, frame in frames:
            items = (frame,) if isinstance(frame, RefusedItem) else self._stations.read(frame)
            if items is not NOTHING:
                _ingest_items(batch, items, Reception(now, _ENDPOINT, message.user_id))
                changed.add(getattr(frame, "station", ""))
        # By the frames' own time: in a backlog an answer may have arrived and not been read yet.
        return self._flush(batch, changed, self._stations.now(now))

    def idle(self) -> Flush | None:
        """Returns what is overdue: everything was read, so a missing answer will not come.

        Only the consumer that has the queue returns anything.
        """
        if not self._is_active:
            return None
        batch = Batch()
        flush = self._flush(batch, set(), self._clock())
        return flush if len(batch) else None

    def _flush(self, batch: Batch, changed: set[str], now: datetime) -> Flush:
        changed |= self._stations.waiting(now)
        _ingest_items(batch, self._stations.overdue(now), Reception(now, _ENDPOINT))
        known = self._stations.known
        kept = {
            name: (station.dump(known[name]).decode(), bool(known[name].calls)) for name in changed & known.keys()
        }
        ignored, self._stations.ignored = self._stations.ignored, Counter()

        def flush() -> None:
            if len(batch):
                self._deliver_batch(batch)
            if kept:
                self._memory.keep(kept)
            self._ignored(ignored)

        return flush

    def _recall(self, names: Iterable[str]) -> None:
        known = self._stations.known
        unknown = sorted({name for name in names if name not in known})
        if unknown:
            for name, memory in self._memory.recall(unknown).items():
                known.setdefault(name, _remembered(name, memory))

    def _frame(self, message: IncomingMessage, now: datetime) -> Frame | RefusedItem:
        text = message.body.decode("utf-8", "surrogateescape")
        if self._require_user_id and message.user_id is None:
            return RefusedItem(message.body, missing_user())
        try:
            return _stamped(log.frame_of(_addressed(log.entry_of(text), message)), now)
        except MalformedMessage as reason:
            return RefusedItem(message.body, reason)
        except Exception as bug:
            # A bug must not stop the neighbours of the message that triggers it.
            logger.exception("message not readable")
            sentence = f"Reading the message failed: {type(bug).__name__}."
            return RefusedItem(message.body, MalformedMessage("NOT_READABLE", sentence))


def _remembered(name: str, memory: str) -> Station:
    try:
        return station.load(memory.encode())
    except ValueError:
        # Written by another version of the software: this state is lost, and its frames go on.
        logger.warning("memory not readable", station=name)
        return Station()


def _addressed(entry: log.LogEntry, message: IncomingMessage) -> log.LogEntry:
    """Completes an entry with the station and the time of its message."""
    whose = message.routing_key.partition(".")[2] or None
    return replace(entry, station=entry.station or whose, timestamp=entry.timestamp or message.sent_at)


def _stamped(frame: Frame, now: datetime) -> Frame:
    """Sets the reception time of a frame without one to now.

    Its identity must not contain that time, since it may be delivered again.
    """
    return frame if frame.received_at else replace(frame, received_at=now)


def _ingest_items(batch: Batch, items: Iterable[Item], reception: Reception) -> None:
    for item in items:
        if isinstance(item, RefusedItem):
            batch.quarantined.append(decode.quarantined(item.raw, item.reason, reception))
        elif isinstance(item, Translated):
            came = replace(reception, at=item.received_at or reception.at)
            for event in item.events:
                _ingest_event(batch, event, came)


def _ingest_event(batch: Batch, event: dict[str, object], reception: Reception) -> None:
    try:
        decode.ingest_event(batch, event, reception)
    except MalformedMessage as reason:
        batch.quarantined.append(decode.quarantined(json.dumps(event).encode(), reason, reception))
