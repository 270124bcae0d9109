"""The loop of every file import: items in, batches handed over, and a tally that accounts for every row."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from domain.errors import MalformedMessage, SpotclaimError
from domain.field.batch import Batch
from domain.ports.store import Clock, HandOver, Known
from ingest.cloudevents import decode as wire
from ingest.files.items import Ignored, Item, Refused

BATCH_SIZE: Final = 1000
_DOOR: Final = "import"


@dataclass(slots=True)
class Tally:
    """Rows of a file or frames of a log, once each: read = accepted + known + refused + ignored.

    accepted: gave at least one event that was new, and all its events are durable; refused: is in quarantine, for
    it or one of its events could not be understood; ignored: understood, and without an event of its own; known:
    all its events were taken in before. A row is read once it is known which of these it is.
    """

    read: int = 0
    accepted: int = 0
    refused: int = 0
    ignored: int = 0
    known: int = 0


def understood(batch: Batch, item: Item, clock: Clock) -> tuple[str, ...] | Refused:
    """Adds an item's messages to the batch; their keys, or why the item is refused. Ignored items have none.

    A refused item adds its quarantined message, and what other messages it gives.
    """
    if isinstance(item, Ignored):
        return ()
    if isinstance(item, Refused):
        return _refused(batch, item, wire.Reception(clock(), _DOOR))
    reception = wire.Reception(item.received_at or clock(), _DOOR)
    keys, refusal = [], None
    for event in item.events:
        try:
            keys.append(wire.sort_in(batch, event, reception))
        except MalformedMessage as reason:
            # The standard library's encoder also writes the integers that made the event malformed.
            raw = json.dumps(event).encode() if item.raw is None else item.raw
            refusal = refusal or _refused(batch, Refused(raw, reason, item.number), reception)
    return refusal or tuple(keys)


def _refused(batch: Batch, item: Refused, reception: wire.Reception) -> Refused:
    reason = item.reason
    if item.number is not None:
        reason = MalformedMessage(reason.code, f"Row {item.number}: {reason.sentence}")
    batch.quarantined.append(wire.quarantined(item.raw, reason, reception))
    return item


@dataclass(slots=True)
class _Load:
    """A batch on its way, and what its rows gave: the keys of each, and how many were refused."""

    batch: Batch = field(default_factory=Batch)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    refused: int = 0


class Importer:
    """One import. While one batch is handed over the next one is read; never more than these two are in memory.

    `tally` is true at any moment, also after an error. `known` tells what need not be handed over again, so that
    the way to resume an import is to repeat it. `progress` hears the tally with each batch, and at the end.
    """

    def __init__(
        self,
        hand_over: HandOver,
        known: Known,
        clock: Clock,
        progress: Callable[[Tally], None],
        batch_size: int = BATCH_SIZE,
    ) -> None:
        self.tally = Tally()
        self._hand_over = hand_over
        self._known = known
        self._clock = clock
        self._progress = progress
        self._batch_size = batch_size
        self._load = _Load()
        self._under_way: Future[tuple[_Load, int]] | None = None
        self._broken: SpotclaimError | None = None

    def run(self, items: Iterable[Item]) -> Tally:
        """Hands over what the items hold, in batches of `batch_size` messages or a few more.

        Raises what `known` and `hand_over` raise, and, after what was read is handed over, what the items raise.
        """
        with ThreadPoolExecutor(1, "import") as pool:
            for item in self._readable(items):
                self._take(item)
                if len(self._load.batch) >= self._batch_size:
                    self._send(pool)
            self._send(pool)
            self._settle()
        self._progress(self.tally)
        if self._broken is not None:
            raise self._broken
        return self.tally

    def _readable(self, items: Iterable[Item]) -> Iterator[Item]:
        try:
            yield from items
        except SpotclaimError as error:
            self._broken = error

    def _take(self, item: Item) -> None:
        outcome = understood(self._load.batch, item, self._clock)
        if isinstance(outcome, Refused):
            self._load.refused += 1
        elif outcome:
            self._load.rows.append(outcome)
        else:
            self._count(ignored=1)
            if self.tally.ignored % self._batch_size == 0:
                self._progress(self.tally)

    def _send(self, pool: ThreadPoolExecutor) -> None:
        self._settle()
        if len(self._load.batch):
            self._under_way, self._load = pool.submit(self._deliver, self._load), _Load()

    def _deliver(self, load: _Load) -> tuple[_Load, int]:
        """How many of its rows gave something new."""
        known = self._known(load.batch)
        news = _but(load.batch, known)
        if len(news):
            self._hand_over(news)
        return load, _accepted(load.rows, known)

    def _settle(self) -> None:
        if self._under_way is None:
            return
        load, accepted = self._under_way.result()
        self._under_way = None
        self._count(accepted=accepted, refused=load.refused, known=len(load.rows) - accepted)
        self._progress(self.tally)

    def _count(self, *, accepted: int = 0, refused: int = 0, ignored: int = 0, known: int = 0) -> None:
        tally = self.tally
        tally.accepted += accepted
        tally.refused += refused
        tally.ignored += ignored
        tally.known += known
        tally.read = tally.accepted + tally.refused + tally.ignored + tally.known


def _accepted(rows: Iterable[tuple[str, ...]], known: set[str]) -> int:
    seen, accepted = set(known), 0
    for keys in rows:
        accepted += not seen.issuperset(keys)
        seen.update(keys)
    return accepted


def _but(batch: Batch, known: set[str]) -> Batch:
    """The batch without its known messages."""
    if not known:
        return batch
    return Batch(
        [fault for fault in batch.faults if fault.key not in known],
        [record for record in batch.usage if record.key not in known],
        [spot for spot in batch.spots if spot.key not in known],
        [item for item in batch.quarantined if item.key not in known],
    )
