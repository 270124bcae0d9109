"""Sequences committed audit events: each gets its position in one log, exactly once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog

from adapters.postgres.audit.log import AuditLog, Waiting
from domain.audit.chain import GENESIS, link
from domain.audit.merkle import leaf_hash

log = structlog.get_logger("sequencer")

# How many transactions' events are placed together; one holds those of a batch of up to 500 messages.
TRANSACTIONS_AT_ONCE = 40


@dataclass(frozen=True, slots=True)
class Sequenced:
    """The result of one run: the number of placed events, and the broken chains.

    A chain is broken where its new events do not follow from those placed before.
    """

    events: int
    broken: tuple[str, ...] = ()


class Sequencer:
    """Places committed events in the log.

    Any number may run: only one at once places events, and the others find nothing to do.
    """

    def __init__(self, audit_log: AuditLog, on_broken: Callable[[str], None] = lambda _: None) -> None:
        self._log = audit_log
        self._on_broken = on_broken

    def run_once(self, limit: int = TRANSACTIONS_AT_ONCE) -> Sequenced:
        """Places what waits, up to `limit` transactions of it. Raises `TransientError`."""
        with self._log.sequencing() as turn:
            waiting = turn.take(limit) if turn else []
            entries = [
                (item.event.subject_id, item.event.seq, leaf_hash(bytes.fromhex(item.event.hash)).hex())
                for item in waiting
                if item.event.seq > item.logged_seq
            ]
            if turn and entries:
                turn.append(entries)
        broken = tuple(_broken(waiting))
        for subject_id in broken:
            log.error("audit chain broken", subject=subject_id, mend="spotclaim audit verify")
            self._on_broken(subject_id)
        return Sequenced(len(entries), broken)


def _broken(waiting: Sequence[Waiting]) -> Iterator[str]:
    """Finds the subjects whose new events do not follow from the last that has a position."""
    for subject_id, items in groupby(waiting, key=lambda item: item.event.subject_id):
        if not _follows(list(items)):
            yield subject_id


def _follows(items: Sequence[Waiting]) -> bool:
    first = items[0]
    seq, head = 0, GENESIS
    if first.logged_seq:
        if first.event.seq != first.logged_seq or leaf_hash(bytes.fromhex(first.event.hash)) != first.logged_leaf:
            return False
        seq, head = first.event.seq, first.event.hash
        items = items[1:]
    for item in items:
        event = item.event
        if event.seq != seq + 1:
            return False
        seq = event.seq
        head = link(head, event.subject_id, seq, event.at, event.actor, event.kind, event.body)
        if head != event.hash:
            return False
    return True
