"""Replays the whole audit record and holds it against checkpoints: is it still what was signed?"""

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
from workers.audit.findings import Finding, Result
from workers.audit.incident_links import Links
from workers.runtime.garbage_collection import calm_the_collector


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

    def parts(self) -> Sequence[Part]:
        """Ranges of claim ids, in order, that are the whole record together and can be replayed apart."""

    def leaves(self) -> Iterator[bytes]:
        """The leaves that the log itself holds, many at once; nothing where it holds none."""


def processors() -> int:
    """How many processes can work at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def audit(
    record: Record,
    outside: Iterable[tuple[str, str]] = (),
    keys: PublicKeys | None = None,
    progress: Callable[[int], None] = lambda _: None,
    processes: int = 1,
) -> Result:
    """Replays every chain, folds it, and holds rows and links against it, and the log against every checkpoint.

    `outside` are checkpoint lines that were kept elsewhere, each with where it stands. `progress` is told how many
    events are done. The parts of a large record are replayed by so many `processes` at once. Raises
    `TransientError` when one of them is ended.
    """
    result = Result(log_size=record.log_size, signatures_checked=keys is not None)
    log, links = _Log(result), Links()
    for replayed in _replays(record, processes):
        result.take(replayed.result)
        log.place(replayed)
        links.take(replayed.links)
        progress(result.events)
    links.hold(result)
    log.hold(record.leaves())
    CheckpointCheck(result, log.leaves, keys).hold_against(record.checkpoints, list(outside))
    return result


def _replays(record: Record, processes: int) -> Iterator[Replayed]:
    """The parts replayed, in their order."""
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
        """Puts the leaves of a part where they belong; no two events can have one position."""
        leaves, taken, begin = self.leaves, self._taken, 0
        for position in replayed.positions:
            if taken[position]:
                sentence = f"Two events have position {position} of the log."
                self._result.add(Finding("LOG_DIFFERS", sentence, position=position))
            taken[position] = 1
            leaves[SIZE * position : SIZE * position + SIZE] = replayed.leaves[begin : begin + SIZE]
            begin += SIZE

    def hold(self, portions: Iterable[bytes]) -> None:
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


def _first_difference(ones: bytearray, others: bytes) -> int:
    pairs = zip(ones, others, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(ones), len(others)))
