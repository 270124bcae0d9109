"""Replays the whole audit record and holds it against checkpoints: is it still what was signed?"""

from binascii import Error as NotHex
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol

import orjson

from adapters.audit_key import PublicKeys
from domain import fold
from domain.audit import GENESIS, link_bytes
from domain.merkle import SIZE, leaf_hash
from workers.checkpoint_check import CheckpointCheck
from workers.findings import Finding, Result

_ORIGIN = bytes.fromhex(GENESIS)

Claim = dict[str, Any]
Event = list[bytes]
"""Claim id, sequence, moment, actor on one line, kind and body as they are hashed; then the hash in hexadecimal
digits, and the position in the log or nothing."""


class Record(Protocol):
    """What is audited: a database at one moment, or an archive."""

    @property
    def events(self) -> int:
        """About how many events there are, for people who wait."""

    @property
    def log_size(self) -> int:
        """How many positions the log has."""

    @property
    def checkpoints(self) -> Sequence[str]:
        """The checkpoint lines that the record itself holds."""

    @property
    def waiting(self) -> set[str] | None:
        """Claims whose events are to be given positions; None where that is not known."""

    def portions(self) -> Iterator[tuple[list[Claim], Iterable[Event]]]:
        """Claims in the order of their ids, with the events of all ids up to the last of them, each claim's in
        order; at the end no claim, and the events of ids beyond."""

    def leaves(self) -> Iterator[bytes]:
        """The leaves that the log itself holds, many at once; nothing where it holds none."""


def audit(
    record: Record,
    outside: Iterable[tuple[str, str]] = (),
    keys: PublicKeys | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Result:
    """Replays every chain, folds it, and holds the log against every checkpoint.

    `outside` are checkpoint lines that were kept elsewhere, each with where it stands. `progress` is told how many
    events are done.
    """
    result = Result(log_size=record.log_size, signatures_checked=keys is not None)
    replay = _Replay(result, record.log_size, record.waiting)
    for claims, events in record.portions():
        replay.portion(claims, events)
        progress(result.events)
    replay.hold_log(record.leaves())
    CheckpointCheck(result, replay.leaves, keys).hold_against(record.checkpoints, list(outside))
    return result


class _Replay:
    """Goes through the claims and gathers the leaves of the log, 32 bytes for each event."""

    def __init__(self, result: Result, log_size: int, waiting: set[str] | None) -> None:
        self._result = result
        self._waiting = waiting
        self.leaves = bytearray(SIZE * log_size)
        self._taken = bytearray(log_size)

    def portion(self, claims: list[Claim], events: Iterable[Event]) -> None:
        """Replays the next claims."""
        rows = {claim["id"]: claim for claim in claims}
        for key, group in groupby(events, key=itemgetter(0)):
            claim_id, chain = key.decode(), list(group)
            self._result.claims += 1
            self._result.events += len(chain)
            stated: Claim = {}
            hashes, broken = _replay(chain, stated)
            self._place(claim_id, chain, hashes)
            self._hold_row(claim_id, rows.pop(claim_id, None), chain, stated, broken)
        for claim_id in rows:
            self._result.claims += 1
            self._break("CHAIN_REMOVED", "The claim has no audit event at all.", claim_id, 1)

    def _hold_row(
        self, claim_id: str, row: Claim | None, chain: list[Event], stated: Claim, broken: "_Broken | None"
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
        wrong = [name for name, value in stated.items() if name in row and row[name] != value]
        if wrong:
            sentence = f"Its events do not lead to its present {', '.join(sorted(wrong))}."
            self._break("ROW_DIFFERS", sentence, claim_id, seq)
        return None

    def _place(self, claim_id: str, chain: list[Event], hashes: list[bytes]) -> None:
        """Puts the leaves of a chain where its events have their positions."""
        before, leaves, taken = -1, self.leaves, self._taken
        for event, hashed in zip(chain, hashes, strict=True):
            if not event[7]:
                return self._leave_out(claim_id, chain[chain.index(event) :])
            position = int(event[7])
            if not before < position < len(taken) or taken[position]:
                return self._find("LOG_DIFFERS", "Its position in the log is not its own.", event)
            leaves[SIZE * position : SIZE * position + SIZE] = leaf_hash(hashed)
            taken[position] = 1
            before = position
        return None

    def _leave_out(self, claim_id: str, rest: list[Event]) -> None:
        """Events may wait for their positions; but then all that follow do, and somebody knows of it."""
        self._result.not_in_log += len(rest)
        if any(event[7] for event in rest):
            self._find("NOT_IN_LOG", "The log passes this event over.", rest[0])
        elif self._waiting is not None and claim_id not in self._waiting:
            self._find("NOT_IN_LOG", "The event is not in the log and does not wait for it.", rest[0])

    def hold_log(self, portions: Iterable[bytes]) -> None:
        """Every position must be some event's, and the log's own leaves those of the events."""
        missing = self._taken.find(0)
        if missing >= 0:
            sentence = f"Position {missing} of the log has no event."
            self._result.add(Finding("EVENT_REMOVED", sentence, position=missing))
        begin = 0
        for portion in portions:
            computed = self.leaves[begin : begin + len(portion)]
            if computed != portion and missing < 0:
                position = (begin + _first_difference(computed, portion)) // SIZE
                sentence = f"Position {position} of the log holds another leaf than its event's."
                return self._result.add(Finding("LOG_DIFFERS", sentence, position=position))
            begin += len(portion)
        return None

    def _find(self, what: str, sentence: str, event: Event) -> None:
        position = int(event[7]) if event[7] else None
        self._result.add(Finding(what, sentence, event[0].decode(), int(event[1]), position))

    def _break(self, what: str, sentence: str, claim_id: str, seq: int) -> None:
        self._result.chains_broken += 1
        self._result.add(Finding(what, sentence, claim_id, seq))


_Broken = tuple[str, str, int]


def _replay(chain: list[Event], stated: Claim) -> tuple[list[bytes], _Broken | None]:
    """The hash that each event of a chain states, and what breaks the chain first: what, a sentence, the sequence.

    Folds the events into `stated` until one is broken.
    """
    hashes = [_unhex(event[6]) for event in chain]
    head = _ORIGIN
    for expected, (event, hashed) in enumerate(zip(chain, hashes, strict=True), 1):
        seq = int(event[1])
        if seq != expected:
            sentence = f"Event {expected} is not there; event {seq} comes in its place."
            return hashes, ("EVENT_REMOVED", sentence, expected)
        head = link_bytes(head, event[:6])
        if head != hashed:
            return hashes, ("EVENT_ALTERED", "The event does not follow from the one before.", seq)
        try:
            fold.apply(stated, seq, event[2].decode(), event[4].decode(), orjson.loads(event[5]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return hashes, ("EVENT_UNREADABLE", "The event's body is not what its kind says.", seq)
    return hashes, None


def _first_difference(ones: bytearray, others: bytes) -> int:
    pairs = zip(ones, others, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(ones), len(others)))


def _unhex(digits: bytes) -> bytes:
    try:
        return unhexlify(digits)
    except NotHex:
        return b""
