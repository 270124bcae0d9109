"""Defines typed audit events: their change of the subject, body and sentence.

A subject's kinds stand in its own `events.py`; `domain.events` knows them all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from types import GenericAlias
from typing import Any, ClassVar, Final, Generic, NamedTuple, Self, TypeVar, Union, get_args

from domain.audit.chain import Chained, instant
from domain.steps import Step

# The part of its subject's row that an event writes: all of it, at first or again, or what reports count. What an
# opening leaves at its default is not written.
NEW: Final = "new"
OPENED: Final = "opened"
WHOLE: Final = "whole"
COUNTED: Final = "counted"


class Unstated(Enum):
    """The value of a field that the event leaves out."""

    UNSTATED = "unstated"


UNSTATED: Final = Unstated.UNSTATED
_T = TypeVar("_T")
_Subject = TypeVar("_Subject", bound=Chained)
Stated = Union[_T, Unstated]  # noqa: UP007 - the other spelling takes no type variable
"""A field that events of this kind may leave out, as those written by earlier versions do."""


_Code = Callable[[Any], Any]


class _Field(NamedTuple):
    name: str
    key: str
    write: _Code | None
    read: _Code | None


def spell(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of a dataclass's fields JSON-ready, without those that are `UNSTATED`.

    Moments are spelled as `domain.audit.chain.instant` does.
    """
    return {
        key: values[name] if write is None or values[name] is None else write(values[name])
        for name, key, write, _ in _fields(kind)
        if name in values and values[name] is not UNSTATED
    }


def parse(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the values of a dataclass's fields back; unknown keys are ignored.

    Raises `ValueError` for a moment that is none.
    """
    return {
        name: data[key] if read is None or data[key] is None else read(data[key])
        for name, key, _, read in _fields(kind)
        if key in data
    }


class Body:
    """Base of frozen dataclasses that are written as JSON objects.

    The fields are the keys; `KEYS` has those that are not spelled like their fields.
    """

    __slots__ = ()
    KEYS: ClassVar[Mapping[str, str]] = {}

    def body(self) -> dict[str, Any]:
        """Returns the JSON-ready object; see `spell`."""
        kind: Any = type(self)
        values_of, keys, writes = _written(kind)
        body = {key: value for key, value in zip(keys, values_of(self), strict=True) if value is not UNSTATED}
        for key, write in writes:
            if body.get(key) is not None:
                body[key] = write(body[key])
        return body

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """Reads the object back; see `parse`.

        Raises `TypeError` where a required key is missing.
        """
        return cls(**parse(cls, data))

    def state(self, subject: object, *names: str) -> None:
        """Sets the attributes of the subject that the event states under the same names."""
        for name in names:
            value = getattr(self, name)
            if value is not UNSTATED:
                setattr(subject, name, value)


class Event(Body, Generic[_Subject]):
    """Base of the kinds.

    `KIND` is the hashed name, whose first word is the kind of subject, `PART` the part of the subject's row that
    changes, and `LEADS_TO` the steps that may follow.
    """

    __slots__ = ()
    KIND: ClassVar[str]
    PART: ClassVar[str] = WHOLE
    LEADS_TO: ClassVar[tuple[type[Step], ...]] = ()

    def apply(self, subject: _Subject, at: datetime, actor: str) -> None:
        """Changes the subject as the event says, except for its `version` and `head`."""

    @property
    def sentence(self) -> str:
        """Says what happened, without the `remark` that people wrote."""
        raise NotImplementedError

    @property
    def remark(self) -> str:
        """Returns what a person wrote with it."""
        return ""

    @property
    def story(self) -> str:
        """Returns the sentence with the remark, for people who may read both."""
        return f"{self.sentence}: {self.remark}" if self.remark else self.sentence


# The columns that identify the chain; the verifier checks them by other means.
_OF_THE_CHAIN: Final = frozenset({"id", "version", "head"})


@dataclass(frozen=True, slots=True)
class Restated(Event[_Subject]):
    """Base of events that state every column of a subject.

    `RECORD` is the subject's dataclass. They close the gaps that earlier events left.
    """

    RECORD: ClassVar[type]

    columns: Mapping[str, Any]

    @classmethod
    def of(cls, subject: _Subject) -> Self:
        """States the subject as it is."""
        return cls({name: getattr(subject, name) for name in restated_columns(cls.RECORD)})

    def body(self) -> dict[str, Any]:
        return spell(self.RECORD, self.columns)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        known = restated_columns(cls.RECORD)
        return cls({name: value for name, value in parse(cls.RECORD, data).items() if name in known})

    def begin(self, subject_id: str, at: datetime) -> _Subject:
        """Returns the subject, where nothing is known from before."""
        subject: _Subject = self.RECORD(id=subject_id, **self.columns)
        return subject

    def apply(self, subject: _Subject, at: datetime, actor: str) -> None:
        for name, value in self.columns.items():
            setattr(subject, name, value)

    @property
    def sentence(self) -> str:
        return "everything on record was restated"


@cache
def restated_columns(record: Any) -> frozenset[str]:
    """Names the columns of a dataclass that its events lead to."""
    return frozenset(field.name for field in fields(record)) - _OF_THE_CHAIN


@cache
def _fields(kind: Any) -> tuple[_Field, ...]:
    keys = getattr(kind, "KEYS", {})
    return tuple(_Field(it.name, keys.get(it.name, it.name), *_codec(it.type)) for it in fields(kind))


@cache
def _written(
    kind: Any,
) -> tuple[Callable[[object], tuple[Any, ...]], tuple[str, ...], tuple[tuple[str, _Code], ...]]:
    """Returns what reads all fields of an object at once, their keys, and how some are written."""
    names, keys, *_ = zip(*_fields(kind), strict=True)
    writes = tuple((it.key, it.write) for it in _fields(kind) if it.write is not None)
    return (attrgetter(*names) if len(names) > 1 else lambda it: (getattr(it, names[0]),)), keys, writes


def _codec(annotation: Any) -> tuple[_Code | None, _Code | None]:
    # The parts of a union; a list is one of them, and not what is in it.
    kinds = {annotation} if isinstance(annotation, GenericAlias) else {annotation, *get_args(annotation)}
    if datetime in kinds:
        return instant, datetime.fromisoformat
    if list[datetime] in kinds:
        return lambda moments: [instant(it) for it in moments], lambda texts: [*map(datetime.fromisoformat, texts)]
    for kind in kinds:
        if isinstance(kind, type) and not isinstance(kind, GenericAlias) and issubclass(kind, Body):
            return kind.body, kind.read
    return None, None
