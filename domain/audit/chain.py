"""Defines the audit chain: each event's hash covers the one before it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Protocol

GENESIS = "00" * 32

# Bodies are made here and hold no cycles; checking for them would cost as much again.
_canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode


class Chained(Protocol):
    """The subject of a chain: a claim or an incident."""

    id: str
    version: int
    head: str


@dataclass(slots=True)
class AuditEvent:
    """One action on one subject.

    `body` is canonical JSON (keys sorted, no spaces) and is stored as these very characters. `hash` is 64
    hexadecimal digits: SHA-256 over the previous hash and every other field, so no field can be altered alone.
    """

    subject_id: str
    seq: int
    at: str
    actor: str
    kind: str
    body: str
    hash: str

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "AuditEvent":
        """Reads an event from a row that has a column for each field, and may have others."""
        return cls(**{field.name: row[field.name] for field in fields(cls)} | {"at": instant(row["at"])})

    @property
    def subject_kind(self) -> str:
        """Returns the kind of the subject, `claim` or `incident`."""
        return subject_kind(self.kind)


def subject_kind(kind: str) -> str:
    """Returns the kind of subject that events of a kind are about.

    It is the first word of the event's kind.
    """
    return kind.partition(".")[0]


@lru_cache(maxsize=1024)
def instant(moment: datetime) -> str:
    """Spells a moment in UTC, RFC 3339, always with microseconds: one moment has one spelling."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def append(subject: Chained, at: datetime, actor: str, kind: str, data: dict[str, Any]) -> AuditEvent:
    """Makes the subject's next event, and moves its `version` and `head` on to it."""
    body = _canonical(data)
    subject.version += 1
    stamp = instant(at)
    subject.head = link(subject.head, subject.id, subject.version, stamp, actor, kind, body)
    return AuditEvent(subject.id, subject.version, stamp, actor, kind, body, subject.head)


def link(previous: str, subject_id: str, seq: int, at: str, actor: str, kind: str, body: str) -> str:
    """Returns the hash of an event.

    Line ends separate the fields; only the body, which is last, may hold any.
    """
    text = f"{subject_id}\n{seq}\n{at}\n{one_line(actor)}\n{kind}\n{body}"
    return sha256(bytes.fromhex(previous) + text.encode()).hexdigest()


def link_bytes(previous: bytes, fields: Iterable[bytes]) -> bytes:
    """Returns the hash of an event from the previous hash and its six fields.

    The fields are bytes as they are hashed, with the actor on one line.
    """
    return sha256(previous + b"\n".join(fields)).digest()


def one_line(actor: str) -> str:
    """Escapes an actor for hashing: names come from outside and may hold line ends."""
    return actor.replace("\\", "\\\\").replace("\n", "\\n")


def first_broken(events: Iterable[AuditEvent]) -> AuditEvent | None:
    """Finds the first event that breaks a chain; None if none does."""
    previous, expected = GENESIS, 1
    for event in events:
        computed = link(previous, event.subject_id, event.seq, event.at, event.actor, event.kind, event.body)
        if event.seq != expected or event.hash != computed:
            return event
        previous, expected = event.hash, expected + 1
    return None
