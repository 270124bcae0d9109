"""Imports items in batches, and keeps a tally that accounts for every one."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from domain.errors import MalformedMessage, SpotclaimError
from domain.field.batch import Batch
from domain.ports.store import Clock, DeliverBatch, Known
from ingest.cloudevents import decode
from ingest.files.items import Ignored, Item, RefusedItem

BATCH_SIZE: Final = 1000
_ENDPOINT: Final = "import"


@dataclass(slots=True)
class ImportTally:
    """Counts the rows of a file or frames of a log, each once.

    It holds that read = accepted + known + refused + ignored. accepted: gave at least one event that was new, and
    all its events are durable; refused: is in quarantine, because it or one of its events could not be decoded;
    ignored: understood, without an event of its own; known: all its events were ingested before. A row is read
    once it is known which of these it is.
    """

    read: int = 0
    accepted: int = 0
    refused: int = 0
    ignored: int = 0
    known: int = 0


def understood(batch: Batch, item: Item, clock: Clock) -> tuple[str, ...] | RefusedItem:
    """Adds an item's messages to the batch and returns their keys.

    Ignored items have none. A refused item is returned instead; its quarantined message is added, and what other
    messages it gives.
    """
    if isinstance(item, Ignored):
        return ()
    if isinstance(item, RefusedItem):
        return _refused(batch, item, decode.Reception(clock(), _ENDPOINT))
    reception = decode.Reception(item.received_at or clock(), _ENDPOINT)
    keys, refusal = [], None
    for event in item.events:
        try:
            keys.append(decode.ingest_event(batch, event, reception).key)
        except MalformedMessage as reason:
            # The standard library's encoder also writes the integers that made the event malformed.
            raw = json.dumps(event).encode() if item.raw is None else item.raw
            refusal = refusal or _refused(batch, RefusedItem(raw, reason, item.number), reception)
    return refusal or tuple(keys)


def _refused(batch: Batch, item: RefusedItem, reception: decode.Reception) -> RefusedItem:
    reason = item.reason
    if item.number is not None:
        reason = MalformedMessage(reason.code, f"Row {item.number}: {reason.sentence}")
    batch.quarantined.append(decode.quarantined(item.raw, reason, reception))
    return item


@dataclass(slots=True)
class _Load:
    """A batch in flight: its rows' keys, and the number of refused rows."""

    batch: Batch = field(default_factory=Batch)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    refused: int = 0


class Importer:
    """Imports items, reading the next batch while one is delivered.

    Never more than these two are in memory. `tally` is correct at any moment, also after an error. `known` returns
    what need not be delivered again, so that an import is resumed by repeating it. `progress` is called with the
    tally for each batch, and at the end.
    """

    def __init__(
        self,
        deliver_batch: DeliverBatch,
        known: Known,
        clock: Clock,
        progress: Callable[[ImportTally], None],
        batch_size: int = BATCH_SIZE,
    ) -> None:
        self.tally = ImportTally()
        self._deliver_batch = deliver_batch
        self._known = known
        self._clock = clock
        self._progress = progress
        self._batch_size = batch_size
        self._load = _Load()
        self._under_way: Future[tuple[_Load, int]] | None = None
        self._broken: SpotclaimError | None = None

    def run(self, items: Iterable[Item]) -> ImportTally:
        """Delivers the items' messages in batches of `batch_size` messages or a few more.

        Raises what `known` and `deliver_batch` raise, and, after what was read is delivered, what the items raise.
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
        if isinstance(outcome, RefusedItem):
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
        """Delivers a batch and counts the rows that gave something new."""
        known = self._known(load.batch)
        new = _without(load.batch, known)
        if len(new):
            self._deliver_batch(new)
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


def _without(batch: Batch, known: set[str]) -> Batch:
    """Returns the batch without its known messages."""
    if not known:
        return batch
    return Batch(
        [fault for fault in batch.faults if fault.key not in known],
        [record for record in batch.usage if record.key not in known],
        [spot for spot in batch.spots if spot.key not in known],
        [item for item in batch.quarantined if item.key not in known],
    )
