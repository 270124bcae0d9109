"""Replays one part of the audit record, and checks hashes and states.

Each hash must follow from those before it, and the events must lead to the subject's row.
"""

from array import array
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol

from domain import events
from domain.administration.act import SUBJECT_KIND
from domain.administration.things import SigningKey
from domain.audit.chain import instant, subject_kind
from domain.audit.event import restated_columns, spell
from domain.claims.claim import Claim
from domain.events import Subject
from workers.audit.chain_following import Event, Followed, follow
from workers.audit.findings import AuditFinding, Result
from workers.audit.incident_links import Links
from workers.audit.key_changes import KeyChange
from workers.audit.named_rows import NamedRows, Rows, UnreadableEvent

Row = dict[str, Any]
Portion = tuple[list[Row], Iterable[Event]]


class Part(Protocol):
    """A range of claim ids and every event in it.

    It can be sent to another process, which opens it there.
    """

    def open(self) -> "AbstractContextManager[OpenPart]":
        """Opens the part, as long as the block lasts."""


class OpenPart(Protocol):
    """A part that is being read."""

    @property
    def waiting(self) -> set[str] | None:
        """Returns the claims whose events wait for positions; None where unknown."""

    @property
    def rows(self) -> Rows | None:
        """Returns the rows that events name; None in an archive."""

    def portions(self) -> Iterator[Portion]:
        """Iterates over the claims in the order of their ids, with their events.

        Each portion has the events of all ids up to the last of its claims, each claim's in order; at the end
        there are no claims, and the events of ids beyond.
        """


@dataclass(slots=True)
class Replayed:
    """The result of a part: findings, positions of leaves, and links.

    Leaves are 32 bytes each; `positions` are theirs in the log.
    """

    result: Result = field(default_factory=Result)
    positions: "array[int]" = field(default_factory=lambda: array("q"))
    leaves: bytearray = field(default_factory=bytearray)
    links: Links = field(default_factory=Links)
    key_changes: list[KeyChange] = field(default_factory=list)


def replay(part: Part, log_size: int) -> Replayed:
    """Replays every chain of the part.

    Each is checked against its subject's row and the size of the log.
    """
    replayed = Replayed()
    with part.open() as opened:
        replay_ = _Replay(replayed, log_size, opened.waiting)
        for rows, events_ in opened.portions():
            replay_.portion(rows, events_)
        if opened.rows is not None:
            replay_.named.hold(opened.rows, replayed.result)
    return replayed


class _Replay:
    """Goes through the subjects of a part."""

    def __init__(self, replayed: Replayed, log_size: int, waiting: set[str] | None) -> None:
        self._replayed = replayed
        self._result = replayed.result
        self._log_size = log_size
        self._waiting = waiting
        self.named = NamedRows()

    def portion(self, rows: list[Row], events_: Iterable[Event]) -> None:
        """Replays the chains of the next subjects, and checks each against its row."""
        found = {row["id"]: row for row in rows}
        for row in rows:
            self._replayed.links.see_row(row)
        for key, group in groupby(events_, key=itemgetter(0)):
            subject_id, chain = key.decode(), list(group)
            self._count(subject_kind(chain[0][4].decode()))
            self._result.events += len(chain)
            followed = follow(subject_id, chain)
            self._place(subject_id, chain, followed.leaves)
            self._link(subject_id, chain, followed)
            if isinstance(followed.subject, SigningKey):
                self._replayed.key_changes += map(KeyChange.of, chain)
            if followed.broken is None and isinstance(followed.subject, Claim):
                self._see(followed)
            self._hold_row(subject_id, found.pop(subject_id, None), chain, followed)
        for subject_id, row in found.items():
            kind = _kind_of(row)
            self._count(kind)
            self._result.chains_broken += 1
            sentence = f"The {row.get('thing', kind)} has no audit event at all."
            self._result.add(AuditFinding("CHAIN_REMOVED", sentence, kind, subject_id, 1))

    def _see(self, followed: Followed) -> None:
        """Notes which rows a claim's events name. One that is not what its kind says breaks the chain."""
        try:
            self.named.see(followed.subject, followed.events)
        except UnreadableEvent as error:
            followed.broken = ("EVENT_UNREADABLE", "The event's body is not what its kind says.", error.seq)

    def _count(self, kind: str) -> None:
        if kind == SUBJECT_KIND:
            self._result.administered += 1
        else:
            self._result.claims += 1

    def _hold_row(self, subject_id: str, row: Row | None, chain: list[Event], followed: Followed) -> None:
        kind = subject_kind(chain[0][4].decode())
        if followed.broken is not None:
            return self._break(*followed.broken[:2], kind, subject_id, followed.broken[2])
        name = events.name_of(chain[0][4].decode())
        if row is None:
            what = "ROW_REMOVED" if kind == SUBJECT_KIND else "CLAIM_REMOVED"
            return self._break(what, f"There are audit events, but no {name}.", kind, subject_id, 1)
        seq = len(chain)
        if row["version"] != seq:
            what = "TAIL_REMOVED" if row["version"] > seq else "EVENT_ADDED"
            sentence = f"The {name} is at version {row['version']}, its last audit event has the number {seq}."
            return self._break(what, sentence, kind, subject_id, min(seq, row["version"]) + 1)
        if row["head"] != chain[-1][6].decode():
            sentence = f"The {name} names another hash than its last event's."
            return self._break("HEAD_DIFFERS", sentence, kind, subject_id, seq)
        stated = _stated(followed.subject)
        if stated.items() <= row.items():
            return None
        wrong = sorted(name for name, value in stated.items() if name in row and not _same(row[name], value))
        if wrong:
            sentence = f"Its events do not lead to its present {', '.join(wrong)}."
            self._break("ROW_DIFFERS", sentence, kind, subject_id, seq)
        return None

    def _link(self, subject_id: str, chain: list[Event], followed: Followed) -> None:
        """Notes which claims belong to an incident by its chain."""
        if not chain[0][4].startswith(b"incident."):
            return
        if followed.broken is None:
            self._replayed.links.see_incident(subject_id, chain, followed.claims)
        else:
            self._replayed.links.broken.add(subject_id)

    def _place(self, subject_id: str, chain: list[Event], leaves: list[bytes]) -> None:
        """Notes the position of each leaf of a chain; within one chain they must grow."""
        before, positions = -1, list[int]()
        for event in chain:
            if not event[7]:
                self._leave_out(subject_id, chain[len(positions) :])
                break
            position = int(event[7])
            if not before < position < self._log_size:
                self._find("LOG_DIFFERS", "Its position in the log is not its own.", event)
                break
            positions.append(position)
            before = position
        self._replayed.positions.extend(positions)
        self._replayed.leaves += b"".join(leaves[: len(positions)])

    def _leave_out(self, subject_id: str, rest: list[Event]) -> None:
        """Checks events without a position: all that follow must wait too, and be registered as waiting."""
        self._result.not_in_log += len(rest)
        if any(event[7] for event in rest):
            self._find("NOT_IN_LOG", "The log passes this event over.", rest[0])
        elif self._waiting is not None and subject_id not in self._waiting:
            self._find("NOT_IN_LOG", "The event is not in the log and does not wait for it.", rest[0])

    def _find(self, what: str, sentence: str, event: Event) -> None:
        position, kind = int(event[7]) if event[7] else None, subject_kind(event[4].decode())
        self._result.add(AuditFinding(what, sentence, kind, event[0].decode(), int(event[1]), position))

    def _break(self, what: str, sentence: str, kind: str, subject_id: str, seq: int) -> None:
        self._result.chains_broken += 1
        self._result.add(AuditFinding(what, sentence, kind, subject_id, seq))


def _kind_of(row: Row) -> str:
    """Tells the kind of a row's subject; rows that are administered name their thing."""
    return SUBJECT_KIND if "thing" in row else "claim" if "spot_id" in row else "incident"


def _stated(subject: Subject | None) -> Row:
    """Returns the columns that the events lead to, spelled like those of a row."""
    if subject is None:
        return {}
    kind: Any = type(subject)
    return spell(kind, {name: getattr(subject, name) for name in restated_columns(kind)})


def _same(present: Any, stated: Any) -> bool:
    """Checks whether a value is the stated one; lists of moments are spelled differently in rows."""
    if present == stated:
        return True
    if not (isinstance(present, list) and isinstance(stated, list)):
        return False
    try:
        return [instant(datetime.fromisoformat(moment)) for moment in present] == stated
    except (ValueError, TypeError):
        return False
