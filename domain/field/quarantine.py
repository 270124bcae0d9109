"""A message in quarantine and what becomes of it: taken in after all, or discarded. It stays on record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.errors import Conflict, MalformedMessage, NotAllowed

OPEN, REPLAYED, DISCARDED = "open", "replayed", "discarded"
STATES: Final = (OPEN, REPLAYED, DISCARDED)

# Where messages are translated from something else: what is kept there is a row, an object or a frame.
TRANSLATING_DOORS: Final = ("import", "ocpp")


@dataclass(slots=True)
class Entry:
    """A message in quarantine.

    `body` holds the original bytes, all of them if there are `size`. `edited` are the bytes of the last replay
    where they were others: `reason` and `sentence` speak of these then. `attributes` are CloudEvents attributes
    that did not travel in the body, `source` is who vouched for the message. `message_key` is the identity under
    which it was taken in.
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


def demand_may_settle(role: str) -> None:
    """Raises `NotAllowed` for auditors, who read."""
    if role == "auditor":
        raise NotAllowed("Auditors read; they neither replay nor discard.")


def demand_open(entry: Entry) -> None:
    """Raises `Conflict` for an entry that somebody has dealt with: one message is taken in once."""
    if entry.state != OPEN:
        moment = f"{entry.settled_at:%Y-%m-%d %H:%M}" if entry.settled_at else "an unknown time"
        raise Conflict(f"The message was {entry.state} by {entry.settled_by} at {moment} UTC.")


def bytes_to_replay(entry: Entry, edited: bytes | None) -> bytes:
    """The edited bytes or the original ones. Raises `Conflict` where these are no event, or only their beginning
    was kept."""
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


def settle(entry: Entry, state: str, who: str, why: str, now: datetime) -> None:
    """Replayed or discarded: by whom, when and why."""
    entry.state, entry.settled_by, entry.settled_why, entry.settled_at = state, who, why, now


def refuse_again(entry: Entry, edited: bytes | None, reason: MalformedMessage) -> None:
    """It stays, and says why the bytes of the last replay were refused."""
    entry.edited, entry.reason, entry.sentence = edited, reason.code, reason.sentence
