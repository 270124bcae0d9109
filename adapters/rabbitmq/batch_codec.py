"""Encodes batches as JSON: for each kind of message its field names, then its rows.

A row is an array, which is half the size of an object and read in half the time. The names say what is in it, so a
process of another version reads what it knows.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from domain.field.batch import Batch, Quarantined
from domain.field.fault import Fault
from domain.field.spot import Spot
from domain.field.usage import UsageRecord

_KINDS: dict[str, type] = {"faults": Fault, "usage": UsageRecord, "spots": Spot, "quarantined": Quarantined}
_NAMES = {part: tuple(field.name for field in fields(kind)) for part, kind in _KINDS.items()}
_MOMENTS = ("occurred_at", "received_at", "recorded_at", "registered_at", "started_at", "ended_at")
_DAYS = ("commissioned_on", "warranty_until")
_READ: dict[str, Callable[[str], object]] = dict.fromkeys(_MOMENTS, datetime.fromisoformat)
_READ |= dict.fromkeys(_DAYS, date.fromisoformat)


def from_batch(batch: Batch) -> dict[str, Any]:
    """Encodes a batch as JSON types; the broker's encoder handles moments and days."""
    return {part: _table(names, getattr(batch, part)) for part, names in _NAMES.items() if getattr(batch, part)}


def to_batch(raw: dict[str, Any]) -> Batch:
    """Decodes a batch.

    Changes `raw` on the way. Raises `KeyError`, `TypeError`, `AttributeError` or `ValueError` for what is no
    batch, or one without messages.
    """
    if not raw:
        raise ValueError("The batch is empty.")
    return Batch(**{part: _items(_KINDS[part], table["names"], table["rows"]) for part, table in raw.items()})


def _table(names: tuple[str, ...], items: Sequence[object]) -> dict[str, Any]:
    row_of = attrgetter(*names)
    return {"names": names, "rows": [row_of(item) for item in items]}


def _items(kind: type, names: list[str], rows: list[list[Any]]) -> list[Any]:
    for place, name in enumerate(names):
        if (read := _READ.get(name)) is not None:
            for row in rows:
                if row[place] is not None:
                    row[place] = read(row[place])
    if names == [field.name for field in fields(kind)]:
        return [kind(*row) for row in rows]
    known = {field.name for field in fields(kind)}
    return [kind(**{name: value for name, value in zip(names, row, strict=True) if name in known}) for row in rows]
