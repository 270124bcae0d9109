"""Runs the queries of people and programs; rows are JSON-ready."""

from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, String, cast

from adapters.postgres.engine import translated_errors
from adapters.postgres.ids import FULL_ID, TAIL

Row = dict[str, Any]


class DatabaseQueries:
    """Runs queries; base of each subject's part. Raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _rows(self, query: Select[Any]) -> list[Row]:
        with translated_errors(), self._engine.connect() as connection:
            result = connection.execute(query)
            # The column names come as a subclass of str, which the JSON encoder does not take.
            names = ["".join(name) for name in result.keys()]  # noqa: SIM118
            return [dict(zip(names, row, strict=True)) for row in result]

    def _found(self, query: Select[Any], column: ColumnElement[Any], wanted: str) -> Row | None:
        """Finds the row with this id, or the only one whose id ends so."""
        if FULL_ID.fullmatch(wanted):
            found = self._rows(query.where(column == wanted))
        elif TAIL.fullmatch(wanted):
            found = self._rows(query.where(cast(column, String).like("%" + wanted.lower())).limit(2))
        else:
            found = []
        return found[0] if len(found) == 1 else None
