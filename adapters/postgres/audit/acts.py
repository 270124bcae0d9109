"""Records administrative acts: the next event of the row's chain, in the transaction of the act."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from sqlalchemy import Column, Integer, LargeBinary, Table, text
from sqlalchemy.dialects.postgresql import UUID

from adapters.postgres.audit.events import INSERT_EVENTS
from adapters.postgres.statements import Executor
from domain.administration.act import Act
from domain.audit import chain


def chain_columns(version: str = "version") -> tuple[Column[Any], Column[Any]]:
    """Returns the columns of a table whose rows have chains; a row without any event is at version 0."""
    return (
        Column(version, Integer, nullable=False, server_default=text("0")),
        Column("head", LargeBinary, nullable=False, server_default=text(rf"'\x{chain.GENESIS}'::bytea")),
    )


@dataclass(frozen=True)
class Audited:
    """A table whose rows are administered.

    `key` and `version` are the columns with the row's id and the length of its chain. `spelled` has what its
    events state in another form than the column. Only the rows of `where` need to be on record.
    """

    table: Table
    record: Any
    key: str = "id"
    version: str = "version"
    spelled: Mapping[str, str] = field(default_factory=dict)
    where: str = "true"

    def columns(self) -> str:
        """Spells what events state of a row, in the order of the record's fields."""
        return ", ".join(f'{self._as_stated(it.name)} AS "{it.name}"' for it in fields(self.record))

    def _as_stated(self, name: str) -> str:
        if name in self.spelled:
            return self.spelled[name]
        column = {"id": self.key, "version": self.version}.get(name, name)
        kind = self.table.c[column].type
        if isinstance(kind, LargeBinary):
            return f"encode(\"{column}\", 'hex')"
        return f'"{column}"::text' if isinstance(kind, UUID) else f'"{column}"'


def sha256_of(expression: str) -> str:
    """Spells the SHA-256 of bytes in hexadecimal digits."""
    return f"encode(sha256({expression}), 'hex')"


_MOVE: Final = "UPDATE {table} SET {version} = %s, head = decode(%s, 'hex') WHERE {key} = %s"


class Acts(Executor):
    """Records what was just done to a row, within the transaction that did it."""

    def record_act(self, audited: Audited, subject_id: str, act: type[Act], actor: str) -> None:
        """Appends the act to the row's chain, and moves the row on to it. The row is locked."""
        table, key = audited.table.name, audited.key
        rows = f"SELECT now(), {audited.columns()} FROM {table} WHERE {key} = %s FOR UPDATE"
        for now, *values in self._execute(rows, subject_id):
            thing = audited.record(*values)
            event = act.of(thing)
            appended = chain.append(thing, now, actor, event.KIND, event.body())
            self._execute(INSERT_EVENTS.sql, INSERT_EVENTS.rows([appended]))
            self._execute(
                _MOVE.format(table=table, key=key, version=audited.version), thing.version, thing.head, thing.id
            )
