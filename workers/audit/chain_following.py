"""Follows one chain, event by event: its hashes, what its events say, and the state that they lead to."""

import re
from binascii import Error as NotHex
from binascii import hexlify, unhexlify
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from domain import events
from domain.audit.chain import GENESIS, link_bytes
from domain.audit.merkle import leaf_hash
from domain.errors import Conflict
from domain.events import Subject
from domain.incidents.incident import Incident

Event = list[bytes]
"""Subject's id, sequence, moment, actor on one line, kind and body as they are hashed; then the hash in
hexadecimal digits, and the position in the log or nothing."""
_Broken = tuple[str, str, int]
"""What breaks a chain: its code, a sentence, and the sequence of the event."""

_ORIGIN: Final = bytes.fromhex(GENESIS)


@dataclass(slots=True)
class Followed:
    """A chain that was followed.

    It has the leaf of each event by the hash that it states, its events with moment and actor, the state that they
    lead to, the claims that belong to an incident with the event that took each, and what breaks the chain first.
    """

    leaves: list[bytes]
    events: list[tuple[Any, str, str]] = field(default_factory=list)
    subject: Subject | None = None
    claims: dict[str, int] = field(default_factory=dict)
    broken: _Broken | None = None


def follow(subject_id: str, chain: list[Event]) -> Followed:
    """Follows the events of a chain until the first that breaks it."""
    head, followed = _ORIGIN, Followed([])
    for expected, event in enumerate(chain, 1):
        seq = int(event[1])
        head = link_bytes(head, event[:6])
        if seq != expected:
            sentence = f"Event {expected} is not there; event {seq} comes in its place."
            return Followed(_stated_leaves(chain), broken=("EVENT_REMOVED", sentence, expected))
        if hexlify(head) != event[6]:
            sentence = "The event does not follow from the one before."
            return Followed(_stated_leaves(chain), broken=("EVENT_ALTERED", sentence, seq))
        followed.leaves.append(leaf_hash(head))
        try:
            _apply(followed, subject_id, event)
        except (ValueError, LookupError, TypeError, AttributeError, Conflict):
            sentence = "The event's body is not what its kind says."
            return Followed(_stated_leaves(chain), broken=("EVENT_UNREADABLE", sentence, seq))
    return followed


def _apply(followed: Followed, subject_id: str, stored: Event) -> None:
    event = events.read(stored[4].decode(), orjson.loads(stored[5]))
    at, actor = _moment(stored[2]), _actor(stored[3])
    followed.events.append((event, stored[2].decode(), actor))
    followed.subject = events.replay(followed.subject, subject_id, event, at, actor)
    if isinstance(followed.subject, Incident):
        event.link(followed.claims, followed.subject.version)  # type: ignore[attr-defined]


@lru_cache(maxsize=4096)
def _moment(spelled: bytes) -> datetime:
    return datetime.fromisoformat(spelled.decode())


_ESCAPED = re.compile(r"\\(.)")


def _actor(one_line: bytes) -> str:
    """Restores the name that `domain.audit.chain.one_line` escaped."""
    actor = one_line.decode()
    return _ESCAPED.sub(lambda it: "\n" if it[1] == "n" else it[1], actor) if "\\" in actor else actor


def _stated_leaves(chain: list[Event]) -> list[bytes]:
    return [leaf_hash(_unhex(event[6])) for event in chain]


def _unhex(digits: bytes) -> bytes:
    try:
        return unhexlify(digits)
    except NotHex:
        return b""
