"""Items: what a reader makes of each row or frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.errors import MalformedMessage


@dataclass(slots=True)
class Translated:
    """A row that gave CloudEvents, in the form that `ingest.cloudevents.decode.ingest_event` takes.

    `received_at` is when the row reached the system that logged it; None where the file does not say. `raw` is the
    row's original bytes and `number` its line of the file, for the case that one of its events is refused.
    """

    events: Sequence[dict[str, Any]]
    received_at: datetime | None = None
    raw: bytes | None = field(default=None, compare=False)
    number: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """A row that cannot be decoded: its bytes, the reason, and its line if known."""

    raw: bytes
    reason: MalformedMessage
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A row that was understood and gives no event of its own."""


Item = Translated | RefusedItem | Ignored
IGNORED = Ignored()
