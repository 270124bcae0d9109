"""Replays one part of the audit record: each hash from those before it, and what the events make of a claim."""

from array import array
from binascii import Error as NotHex
from binascii import hexlify, unhexlify
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol

import orjson

from domain.audit.chain import GENESIS, link_bytes
from domain.audit.merkle import leaf_hash
from domain.claims import projection as fold
from domain.errors import Conflict
from workers.audit.findings import Finding, Result
from workers.audit.incident_links import Links

_ORIGIN = bytes.fromhex(GENESIS)

Claim = dict[str, Any]
Event = list[bytes]
"""Claim id, sequence, moment, actor on one line, kind and body as they are hashed; then the hash in hexadecimal
digits, and the position in the log or nothing."""
Portion = tuple[list[Claim], Iterable[Event]]
Chain = tuple[bytes, list[Event]]
_Broken = tuple[str, str, int]


class Part(Protocol):
    """A range of claim ids and every event in it. It can be handed to another process, which opens it there."""

    def open(self) -> "AbstractContextManager[OpenPart]":
        """The part, as long as the block lasts."""


class OpenPart(Protocol):
    """A part that is read."""

    @property
    def waiting(self) -> set[str] | None:
        """Claims whose events are to be given positions; None where that is not known."""

    def portions(self) -> Iterator[Portion]:
        """Claims in the order of their ids, with the events of all ids up to the last of them, each claim's in
        order; at the end no claim, and the events of ids beyond."""


@dataclass(slots=True)
class Replayed:
    """What became of a part: what was found, which leaf (32 bytes each) has which position in the log, and what is
    said of which claims belong to which incidents."""

    result: Result = field(default_factory=Result)
    positions: "array[int]" = field(default_factory=lambda: array("q"))
    leaves: bytearray = field(default_factory=bytearray)
    links: Links = field(default_factory=Links)


def replay(part: Part, log_size: int) -> Replayed:
    """Replays every chain of the part and holds it against the claim's row and the size of the log."""
    replayed = Replayed()
    with part.open() as opened:
        replay_ = _Replay(replayed, log_size, opened.waiting)
        for claims, events in opened.portions():
            replay_.portion(claims, events)
    return replayed


class _Replay:
    """Goes through the claims of a part."""

    def __init__(self, replayed: Replayed, log_size: int, waiting: set[str] | None) -> None:
        self._replayed = replayed
        self._result = replayed.result
        self._log_size = log_size
        self._waiting = waiting

    def portion(self, claims: list[Claim], events: Iterable[Event]) -> None:
        """Replays the next claims."""
        rows = {claim["id"]: claim for claim in claims}
        for claim in claims:
            self._replayed.links.see_row(claim)
        for key, group in groupby(events, key=itemgetter(0)):
            claim_id, chain = key.decode(), list(group)
            self._result.claims += 1
            self._result.events += len(chain)
            stated: Claim = {}
            leaves, broken = _follow(chain, stated)
            self._place(claim_id, chain, leaves)
            if chain[0][4].startswith(b"incident."):
                self._link(claim_id, chain, stated.get("claims", {}), broken)
            self._hold_row(claim_id, rows.pop(claim_id, None), chain, stated, broken)
        for claim_id in rows:
            self._result.claims += 1
            self._break("CHAIN_REMOVED", "The claim has no audit event at all.", claim_id, 1)

    def _hold_row(
        self, claim_id: str, row: Claim | None, chain: list[Event], stated: Claim, broken: _Broken | None
    ) -> None:
        if broken is not None:
            return self._break(*broken[:2], claim_id, broken[2])
        if row is None:
            return self._break("CLAIM_REMOVED", "There are audit events, but no claim.", claim_id, 1)
        seq = len(chain)
        if row["version"] != seq:
            what = "TAIL_REMOVED" if row["version"] > seq else "EVENT_ADDED"
            sentence = f"The claim is at version {row['version']}, its last audit event has the number {seq}."
            return self._break(what, sentence, claim_id, min(seq, row["version"]) + 1)
        if row["head"] != chain[-1][6].decode():
            return self._break(
                "HEAD_DIFFERS", "The claim names another hash than its last event's.", claim_id, seq
            )
        if stated.items() <= row.items():
            return None
        wrong = sorted(name for name, value in stated.items() if name in row and row[name] != value)
        if wrong:
            sentence = f"Its events do not lead to its present {', '.join(wrong)}."
            self._break("ROW_DIFFERS", sentence, claim_id, seq)
        return None

    def _link(self, incident_id: str, chain: list[Event], held: Mapping[str, int], broken: _Broken | None) -> None:
        if broken is None:
            self._replayed.links.see_incident(incident_id, chain, held)
        else:
            self._replayed.links.broken.add(incident_id)

    def _place(self, claim_id: str, chain: list[Event], leaves: list[bytes]) -> None:
        """Notes the position of each leaf of a chain; within one chain they must grow."""
        before, positions = -1, list[int]()
        for event in chain:
            if not event[7]:
                self._leave_out(claim_id, chain[len(positions) :])
                break
            position = int(event[7])
            if not before < position < self._log_size:
                self._find("LOG_DIFFERS", "Its position in the log is not its own.", event)
                break
            positions.append(position)
            before = position
        self._replayed.positions.extend(positions)
        self._replayed.leaves += b"".join(leaves[: len(positions)])

    def _leave_out(self, claim_id: str, rest: list[Event]) -> None:
        """Events may wait for their positions; but then all that follow do, and somebody knows of it."""
        self._result.not_in_log += len(rest)
        if any(event[7] for event in rest):
            self._find("NOT_IN_LOG", "The log passes this event over.", rest[0])
        elif self._waiting is not None and claim_id not in self._waiting:
            self._find("NOT_IN_LOG", "The event is not in the log and does not wait for it.", rest[0])

    def _find(self, what: str, sentence: str, event: Event) -> None:
        position = int(event[7]) if event[7] else None
        self._result.add(Finding(what, sentence, event[0].decode(), int(event[1]), position))

    def _break(self, what: str, sentence: str, claim_id: str, seq: int) -> None:
        self._result.chains_broken += 1
        self._result.add(Finding(what, sentence, claim_id, seq))


def _follow(chain: list[Event], stated: Claim) -> tuple[list[bytes], _Broken | None]:
    """The leaf of each event of a chain by the hash that it states, and what breaks the chain first: what, a
    sentence, the sequence.

    Folds the events into `stated` until one is broken.
    """
    head, leaves = _ORIGIN, []
    for expected, event in enumerate(chain, 1):
        seq = int(event[1])
        head = link_bytes(head, event[:6])
        if seq != expected:
            sentence = f"Event {expected} is not there; event {seq} comes in its place."
            return _stated_leaves(chain), ("EVENT_REMOVED", sentence, expected)
        if hexlify(head) != event[6]:
            sentence = "The event does not follow from the one before."
            return _stated_leaves(chain), ("EVENT_ALTERED", sentence, seq)
        leaves.append(leaf_hash(head))
        try:
            fold.apply(stated, seq, event[2].decode(), event[4].decode(), orjson.loads(event[5]))
        except (ValueError, KeyError, TypeError, AttributeError, Conflict):
            sentence = "The event's body is not what its kind says."
            return _stated_leaves(chain), ("EVENT_UNREADABLE", sentence, seq)
    return leaves, None


def _stated_leaves(chain: list[Event]) -> list[bytes]:
    return [leaf_hash(_unhex(event[6])) for event in chain]


def _unhex(digits: bytes) -> bytes:
    try:
        return unhexlify(digits)
    except NotHex:
        return b""
