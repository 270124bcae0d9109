"""Defines the unit of work: everything that one transaction writes, together or not at all."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar

from domain.audit import chain
from domain.audit.chain import AuditEvent, Chained
from domain.audit.event import COUNTED, NEW, OPENED, WHOLE, Event
from domain.steps import Step

_T = TypeVar("_T")
_Subject = TypeVar("_Subject", bound=Chained)

# The part of a delivery that an attempt changes.
ATTEMPTED: Final = "attempted"
# A wider part includes what the narrower ones write; what is opened and written whole at once is new.
_WIDEST_FIRST: Final = (NEW, WHOLE, OPENED, COUNTED, ATTEMPTED)


@dataclass(frozen=True, slots=True)
class DoneStep:
    """A step that is pending no longer."""

    step_id: int


@cache
def _stored_as(kind: Any) -> Any:
    return Step if issubclass(kind, Step) else kind


@cache
def _has_id(kind: Any) -> bool:
    return "id" in getattr(kind, "__dataclass_fields__", ())


def _wider(part: str, other: str) -> str:
    return NEW if {part, other} == {OPENED, WHOLE} else min(part, other, key=_WIDEST_FIRST.index)


class Changes:
    """Collects records of any type that the store has a statement for.

    A record with an `id` is written once, however often it is put, and in the widest part that it was put in.
    """

    __slots__ = ("_by_type",)

    def __init__(self, *records: object) -> None:
        self._by_type: dict[type, dict[object, tuple[Any, str]]] = {}
        self.put(*records)

    def put(self, *records: object, part: str = WHOLE) -> None:
        """Adds records that are to be written."""
        for record in records:
            kind: Any = type(record)
            known = self._by_type.setdefault(_stored_as(kind), {})
            if _has_id(kind) and (key := record.id):  # type: ignore[attr-defined]
                before = known.get(key)
                known[key] = (record, part if before is None else _wider(part, before[1]))
            else:
                # No id is negative.
                known[~len(known)] = (record, part)

    def record(self, subject: _Subject, event: Event[_Subject], at: datetime, actor: str) -> None:
        """Applies an event to its subject, and puts the subject and the event."""
        event.apply(subject, at, actor)
        self.append(subject, event, at, actor)

    def append(self, subject: Chained, event: Event[Any], at: datetime, actor: str) -> None:
        """Appends an event to its subject's chain without applying it, and puts both.

        That is for an event that its subject begins with, and so has applied already.
        """
        self.put(chain.append(subject, at, actor, event.KIND, event.body()))
        self.put(subject, part=event.PART)

    def done(self, steps: Iterable[Step]) -> None:
        """Ends steps: their rows are removed in this transaction."""
        self.put(*(DoneStep(step.id) for step in steps))

    def of(self, kind: type[_T], *parts: str) -> list[_T]:
        """Returns the records of a type, of these parts if any are named.

        They come in the order in which they were put.
        """
        return [record for record, part in self.puts(kind) if not parts or part in parts]

    def puts(self, kind: type) -> Iterator[tuple[Any, str]]:
        """Iterates over the records of a type with their parts."""
        return iter(self._by_type.get(kind, {}).values())

    @property
    def parts(self) -> set[tuple[type, str]]:
        """Returns the types of the records, each with the parts that are written."""
        return {(kind, part) for kind, records in self._by_type.items() for _, part in records.values()}

    @property
    def events(self) -> Sequence[AuditEvent]:
        """Returns the audit events in order."""
        return self.of(AuditEvent)

    @property
    def steps(self) -> Sequence[Step]:
        """Returns the steps that follow."""
        return self.of(Step)

    def add(self, other: "Changes") -> None:
        """Adds other changes, to be written together with these."""
        for records in other._by_type.values():
            for record, part in records.values():
                self.put(record, part=part)
