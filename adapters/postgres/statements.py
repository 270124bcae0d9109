"""Builds the statements that write and read a batch, and runs them.

Every table gets one statement whose rows are one JSON parameter: on the hot path that costs a tenth of row-wise
parameters. A row is an array and its values are known by their places, which is less to write, to send and to read
than an object that names each of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

# How a value is read from its place in the row `r`, by the type of its column.
_AS_WRITTEN: Final[dict[type, str]] = {
    Text: "r->>{}",
    UUID: "(r->>{})::uuid",
    Integer: "(r->>{})::integer",
    BigInteger: "(r->>{})::bigint",
    Double: "(r->>{})::double precision",
    Boolean: "(r->>{})::boolean",
    DateTime: "(r->>{})::timestamptz",
    Date: "(r->>{})::date",
    LargeBinary: "decode(r->>{}, 'hex')",
    JSONB: "r->{}",
}
# Most lists are empty; to unfold one costs as much as to read five other values.
_ARRAY_AS_WRITTEN: Final = (
    "CASE r->{{0}} WHEN '[]' THEN '{{{{}}}}' ELSE ARRAY(SELECT jsonb_array_elements_text(r->{{0}}))::{0}[] END"
)
_TYPES_IN_ARRAYS: Final[dict[type, str]] = {Text: "text", DateTime: "timestamptz", UUID: "uuid"}
# How a column is read whose type in the database is not the one in the code.
_AS_READ: Final[dict[type, str]] = {UUID: "{}::text", LargeBinary: "encode({}, 'hex')"}
_ARRAYS_AS_READ: Final[dict[type, str]] = {UUID: "{}::text[]"}

_ROWS: Final = "FROM jsonb_array_elements(%s::jsonb) AS r"

Execute = Callable[..., Any]
"""Runs a statement with its parameters, and gives its rows."""


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that writes many rows, and the columns of a row in the order of their places.

    `afterwards` is a statement without parameters that ends the transaction's script.
    """

    sql: str
    columns: tuple[str, ...]
    afterwards: str = ""

    def rows(self, items: Iterable[object]) -> object:
        """Spells the statement's parameter. The items have an attribute for each column."""
        row_of = attrgetter(*self.columns)
        return orjson.dumps([row_of(item) for item in items]).decode()


class Deletion(Write):
    """A statement that deletes rows by one column, the only one in `columns`."""

    __slots__ = ()

    def rows(self, items: Iterable[object]) -> object:
        """Lists the values of the column."""
        return list(map(attrgetter(*self.columns), items))


def insert(
    table: Table,
    names: Sequence[str],
    tail: str = "",
    *,
    spelled: Mapping[str, str] | None = None,
    afterwards: str = "",
) -> Write:
    """Builds an insert. `spelled` holds values that are not read as the type of their column says."""
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(
        (spelled or {}).get(name, _as_written(table.c[name])).format(place) for place, name in enumerate(names)
    )
    sql = f"INSERT INTO {table.name} ({columns}) SELECT {values} {_ROWS} {tail}"
    return Write(sql, tuple(names), afterwards)


def update(table: Table, names: Sequence[str]) -> Write:
    """Builds an update that finds its rows by their id, which comes first."""
    changes = ", ".join(
        f"{name} = {_as_written(table.c[name]).format(place)}" for place, name in enumerate(names, 1)
    )
    key = _as_written(table.c.id).format(0)
    return Write(f"UPDATE {table.name} t SET {changes} {_ROWS} WHERE t.id = {key}", ("id", *names))


def or_update(names: Sequence[str]) -> str:
    """Spells the tail of an insert that, where the id is known, writes these columns anew."""
    return "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in names)


def selected(
    table: Table, record: type, *, alias: str | None = None, but: Sequence[str] = (), as_is: Sequence[str] = ()
) -> str:
    """Spells the columns that a dataclass takes in, in the order of its fields, but for some.

    Ids are read as text and digests as hexadecimal digits, unless they are to come `as_is`.
    """
    names = [field.name for field in fields(record) if field.name not in but]
    return ", ".join(
        ("{}" if name in as_is else _as_read(table.c[name])).format(f'{alias or table.name}."{name}"')
        for name in names
    )


def as_array(ids: Iterable[str]) -> str:
    """Spells ids as one array literal, which PostgreSQL reads faster than a list; they need no quotes."""
    return "{" + ",".join(ids) + "}"


class Executor:
    """Runs statements in one transaction; base of each subject's part of it.

    They go to the driver as they are: to prepare and wrap a small one would take longer than to run it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection.connection

    def _execute(self, sql: str, *parameters: object) -> Any:
        cursor = self._connection.cursor()
        cursor.execute(sql, parameters)
        return cursor


def insert_in_order(execute: Execute, write: Write, items: Iterable[object]) -> int:
    """Writes messages in the order of their keys, so that two writers cannot deadlock.

    Returns how many were new.
    """
    new: int = execute(write.sql, write.rows(sorted(items, key=attrgetter("key")))).rowcount
    return new


def _as_written(column: Column[Any]) -> str:
    if isinstance(column.type, ARRAY):
        return _ARRAY_AS_WRITTEN.format(_TYPES_IN_ARRAYS[type(column.type.item_type)])
    return _AS_WRITTEN[type(column.type)]


def _as_read(column: Column[Any]) -> str:
    if isinstance(column.type, ARRAY):
        return _ARRAYS_AS_READ.get(type(column.type.item_type), "{}")
    return _AS_READ.get(type(column.type), "{}")
