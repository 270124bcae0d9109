"""Verifies the whole audit record against its checkpoints."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from typing import Protocol

from adapters.audit.signing_key import PublicKeys
from domain.audit.merkle import SIZE
from domain.errors import TransientError
from workers.audit.chain_replay import Part, Replayed, replay
from workers.audit.checkpoint_verification import CheckpointCheck
from workers.audit.findings import AuditFinding, Result
from workers.audit.incident_links import Links
from workers.audit.key_changes import KeyChange
from workers.runtime.garbage_collection import calm_the_collector


class Record(Protocol):
    """The record to verify: a database at one moment, or an archive."""

    @property
    def events(self) -> int:
        """Returns roughly how many events there are, for progress."""

    @property
    def log_size(self) -> int:
        """Returns how many positions the log has."""

    @property
    def checkpoints(self) -> Sequence[str]:
        """Returns the checkpoint lines that the record itself holds."""

    def parts(self) -> Sequence[Part]:
        """Returns the parts of the record: ranges of claim ids, in order.

        Together they are the whole record, and each can be replayed by itself.
        """

    def leaves(self) -> Iterator[bytes]:
        """Iterates over the leaves that the log holds, many at once.

        There are none where it holds none.
        """


def processors() -> int:
    """Returns how many processes can work at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def audit(
    record: Record,
    outside: Iterable[tuple[str, str]] = (),
    keys: PublicKeys | None = None,
    progress: Callable[[int], None] = lambda _: None,
    processes: int = 1,
) -> Result:
    """Verifies the record: chains, rows, links, the log and every checkpoint.

    `outside` are checkpoint lines that were kept elsewhere, each with its place. `progress` is called with the
    number of verified events. The parts of a large record are replayed by so many `processes` at once. Raises
    `TransientError` when one of them is ended.
    """
    result = Result(log_size=record.log_size, signatures_checked=keys is not None)
    log, links, key_changes = _Log(result), Links(), list[KeyChange]()
    for replayed in _replays(record, processes):
        result.take(replayed.result)
        log.place(replayed)
        links.take(replayed.links)
        key_changes += replayed.key_changes
        progress(result.events)
    links.hold(result)
    log.hold(record.leaves())
    CheckpointCheck(result, log.leaves, keys, key_changes).hold_against(record.checkpoints, list(outside))
    return result


def _replays(record: Record, processes: int) -> Iterator[Replayed]:
    """Replays the parts, in their order."""
    parts, work = record.parts(), partial(replay, log_size=record.log_size)
    if processes == 1 or len(parts) == 1:
        yield from map(work, parts)
        return
    own = get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(parts)), own, initializer=calm_the_collector) as pool:
        try:
            yield from pool.map(work, parts)
        except BrokenProcessPool:
            raise TransientError("A process that replayed a part of the record was ended.") from None


class _Log:
    """The log as the events make it: 32 bytes for each position."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self.leaves = bytearray(SIZE * result.log_size)
        self._taken = bytearray(result.log_size)

    def place(self, replayed: Replayed) -> None:
        """Puts the leaves of a part at their positions; no two events may share one."""
        leaves, taken, begin = self.leaves, self._taken, 0
        for position in replayed.positions:
            if taken[position]:
                sentence = f"Two events have position {position} of the log."
                self._result.add(AuditFinding("LOG_DIFFERS", sentence, position=position))
            taken[position] = 1
            leaves[SIZE * position : SIZE * position + SIZE] = replayed.leaves[begin : begin + SIZE]
            begin += SIZE

    def hold(self, portions: Iterable[bytes]) -> None:
        """Checks that every position has an event, and the log's own leaves are the events'."""
        missing = self._taken.find(0)
        if missing >= 0:
            sentence = f"Position {missing} of the log has no event."
            self._result.add(AuditFinding("EVENT_REMOVED", sentence, position=missing))
        begin = 0
        for portion in portions:
            computed = self.leaves[begin : begin + len(portion)]
            if computed != portion and missing < 0:
                position = (begin + _first_difference(computed, portion)) // SIZE
                sentence = f"Position {position} of the log holds another leaf than its event's."
                return self._result.add(AuditFinding("LOG_DIFFERS", sentence, position=position))
            begin += len(portion)
        return None


def _first_difference(ones: bytearray, others: bytes) -> int:
    pairs = zip(ones, others, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(ones), len(others)))
