"""Settles messages in quarantine: they are replayed or discarded, and stay on record."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from domain.errors import Conflict, MalformedMessage

OPEN, REPLAYED, DISCARDED = "open", "replayed", "discarded"
STATES: Final = (OPEN, REPLAYED, DISCARDED)

# Sources whose messages are translated: what is kept of these is a row, an object or a frame, and no event.
TRANSLATING_DOORS: Final = ("import", "ocpp")


@dataclass(slots=True)
class QuarantineEntry:
    """A message in quarantine.

    `body` holds the original bytes, all of them if there are `size`. `edited` are the bytes of the last replay
    where they were others, and `editors` all who edited them; `reason` and `sentence` are about these then.
    `attributes` are CloudEvents attributes that did not travel in the body, and `source` is who vouched for the
    message. `door` names the source or endpoint that received it, and `message_key` the identity under which it
    was ingested.
    """

    key: str
    state: str
    reason: str
    sentence: str
    body: bytes
    size: int
    door: str
    source: str | None
    attributes: dict[str, Any] | None
    received_at: datetime
    edited: bytes | None = None
    message_key: str | None = None
    settled_at: datetime | None = None
    settled_by: str | None = None
    settled_why: str = ""
    editors: list[str] = field(default_factory=list)


def demand_open(entry: QuarantineEntry) -> None:
    """Raises `Conflict` for an entry that is settled: one message is ingested once."""
    if entry.state != OPEN:
        moment = f"{entry.settled_at:%Y-%m-%d %H:%M}" if entry.settled_at else "an unknown time"
        raise Conflict(f"The message was {entry.state} by {entry.settled_by} at {moment} UTC.")


def bytes_to_replay(entry: QuarantineEntry, edited: bytes | None) -> bytes:
    """Returns the edited bytes, or else the original ones.

    Raises `Conflict` where the original bytes are not an event, or only their beginning was kept.
    """
    if edited is not None:
        return edited
    if entry.door in TRANSLATING_DOORS:
        raise Conflict(
            f"What came by {entry.door} is kept as it came, and is no event: mend it there and bring it in again, "
            "or replay the event that it should have been."
        )
    if len(entry.body) < entry.size:
        raise Conflict(f"Only {len(entry.body)} of its {entry.size} bytes were kept; give the message itself.")
    return entry.body


def settle(entry: QuarantineEntry, state: str, who: str, why: str, now: datetime) -> None:
    """Marks an entry as replayed or discarded: by whom, when and why."""
    entry.state, entry.settled_by, entry.settled_why, entry.settled_at = state, who, why, now


def edit(entry: QuarantineEntry, edited: bytes | None, who: str) -> None:
    """Notes the bytes that are replayed in place of the original ones, and who edited them."""
    entry.edited = edited
    if edited is not None and who not in entry.editors:
        entry.editors = [*entry.editors, who]


def refuse_again(entry: QuarantineEntry, reason: MalformedMessage) -> None:
    """Keeps an entry open with the reason why its replay was refused."""
    entry.reason, entry.sentence = reason.code, reason.sentence
