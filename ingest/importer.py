"""The loop of every file import: items in, batches handed over, and a tally that accounts for every row."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.errors import MalformedMessage
from domain.intake import Batch
from domain.ports import Clock, HandOver
from ingest import wire
from ingest.items import Item, Refused, Translated

BATCH_SIZE: Final = 500
_DOOR: Final = "import"


@dataclass(slots=True)
class Tally:
    """Rows of the file (an OCPP log's frames), each counted once: read = accepted + refused + ignored.

    accepted: gave at least one event, and all its events are durable; refused: went to quarantine, wholly or
    with one of its events; ignored: understood, and without an event of its own.
    """

    read: int = 0
    accepted: int = 0
    refused: int = 0
    ignored: int = 0


def run_import(
    items: Iterable[Item],
    hand_over: HandOver,
    clock: Clock,
    progress: Callable[[Tally], None],
    batch_size: int = BATCH_SIZE,
) -> Tally:
    """Hands over what the items hold, in batches of `batch_size` messages or a few more, and counts.

    `progress` hears the running tally after each batch and each `batch_size` rows, and once at the end. Raises
    what `hand_over` raises; importing the same file again is safe, since its messages keep their identities.
    """
    tally, batch = Tally(), Batch()
    for item in items:
        _count(tally, _sort_in(batch, item, clock))
        if len(batch) >= batch_size:
            hand_over(batch)
            batch = Batch()
            progress(tally)
        elif tally.read % batch_size == 0:
            progress(tally)
    if len(batch):
        hand_over(batch)
    progress(tally)
    return tally


def _count(tally: Tally, outcome: str) -> None:
    tally.read += 1
    setattr(tally, outcome, getattr(tally, outcome) + 1)


def _sort_in(batch: Batch, item: Item, clock: Clock) -> str:
    """Adds an item's messages to the batch and tells under which name of the tally it counts."""
    if isinstance(item, Translated):
        understood = [_take_in(batch, event, item.received_at or clock()) for event in item.events]
        return "accepted" if all(understood) else "refused"
    if isinstance(item, Refused):
        batch.quarantined.append(wire.quarantined(item.raw, item.reason, wire.Reception(clock(), _DOOR)))
        return "refused"
    return "ignored"


def _take_in(batch: Batch, event: dict[str, Any], received_at: datetime) -> bool:
    reception = wire.Reception(received_at, _DOOR)
    try:
        wire.sort_in(batch, event, reception)
    except MalformedMessage as reason:
        # The event and not the row: a replay from quarantine can take it in. The standard library's encoder
        # also writes the integers that made the event malformed.
        batch.quarantined.append(wire.quarantined(json.dumps(event).encode(), reason, reception))
        return False
    return True
