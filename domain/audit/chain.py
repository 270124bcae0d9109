"""The audit chain: every action on a claim is an event whose hash covers the one before it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Protocol

GENESIS = "00" * 32

# Bodies are made here and hold no circles; looking for them would cost as much again.
_canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode


class Chained(Protocol):
    """What an audit chain hangs on: a claim."""

    id: str
    version: int
    head: str


@dataclass(slots=True)
class AuditEvent:
    """One action on one claim.

    `body` is canonical JSON (keys sorted, no spaces) and is stored as these very characters. `hash` is 64
    hexadecimal digits: SHA-256 over the previous hash and every other field, so no field can be altered alone.
    """

    claim_id: str
    seq: int
    at: str
    actor: str
    kind: str
    body: str
    hash: str


@lru_cache(maxsize=1024)
def instant(moment: datetime) -> str:
    """UTC, RFC 3339, always with microseconds: one moment has one spelling."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def append(claim: Chained, at: datetime, actor: str, kind: str, data: dict[str, Any]) -> AuditEvent:
    """The claim's next event. Moves the claim's `version` and `head` on to it."""
    body = _canonical(data)
    claim.version += 1
    stamp = instant(at)
    claim.head = link(claim.head, claim.id, claim.version, stamp, actor, kind, body)
    return AuditEvent(claim.id, claim.version, stamp, actor, kind, body, claim.head)


def link(previous: str, claim_id: str, seq: int, at: str, actor: str, kind: str, body: str) -> str:
    """The hash of an event. Line ends separate the fields; only the body, which is last, may hold any."""
    text = f"{claim_id}\n{seq}\n{at}\n{one_line(actor)}\n{kind}\n{body}"
    return sha256(bytes.fromhex(previous) + text.encode()).hexdigest()


def link_bytes(previous: bytes, fields: Iterable[bytes]) -> bytes:
    """The same from bytes: the previous hash, and the six fields as they are hashed, the actor on one line."""
    return sha256(previous + b"\n".join(fields)).digest()


def one_line(actor: str) -> str:
    """An actor as it is hashed: names come from outside and may hold line ends."""
    return actor.replace("\\", "\\\\").replace("\n", "\\n")


def first_broken(events: Iterable[AuditEvent]) -> AuditEvent | None:
    """The first event, of one claim's in order, that does not follow from those before it; None if all do."""
    previous, expected = GENESIS, 1
    for event in events:
        computed = link(previous, event.claim_id, event.seq, event.at, event.actor, event.kind, event.body)
        if event.seq != expected or event.hash != computed:
            return event
        previous, expected = event.hash, expected + 1
    return None
