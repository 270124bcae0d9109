"""Stores silences and maintenance windows."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Engine, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.audit.acts import Acts, Audited, chain_columns
from adapters.postgres.engine import translated_errors
from adapters.postgres.ids import FULL_ID, TAIL
from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.statements import Executor, selected
from domain.administration.act import Act
from domain.administration.operating_acts import SilenceEnded, SilenceMade
from domain.administration.things import Mute
from domain.errors import NotFound
from domain.notifications.silence import Silence

# Rows stay: they tell who silenced what, when and why.
silences: Final = Table(
    "silences",
    metadata,
    Column("id", ID, primary_key=True),
    Column("created_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("created_at", MOMENT, nullable=False, server_default=text("now()")),
    Column("starts_at", MOMENT, nullable=False),
    # When it ends or was ended, and who ended it before its time.
    Column("ends_at", MOMENT, nullable=False),
    Column("ended_by", Text),
    Column("codes", ARRAY(Text), nullable=False),
    Column("severities", ARRAY(Text), nullable=False),
    Column("claim_types", ARRAY(Text), nullable=False),
    Column("zones", ARRAY(Text), nullable=False),
    Column("destinations", ARRAY(Text), nullable=False),
    *chain_columns(),
    Index("silences_ends", "ends_at"),
)

AUDITED: Final = Audited(silences, Mute)

# The latest silences are listed; earlier ones are left out.
_LISTED: Final = 1000

_LASTING: Final = f"""
SELECT {selected(silences, Silence)} FROM silences WHERE starts_at <= %s AND ends_at > %s ORDER BY ends_at
"""
_COLUMNS: Final = (
    "id::text AS id, created_by, why, created_at, starts_at, ends_at, ended_by, codes, severities,"
    " claim_types, zones, destinations"
)
_ADD: Final = f"""
INSERT INTO silences (id, created_by, why, starts_at, ends_at, codes, severities, claim_types, zones, destinations)
VALUES (%(id)s, %(created_by)s, %(why)s, %(starts_at)s, %(ends_at)s, %(codes)s, %(severities)s, %(claim_types)s,
    %(zones)s, %(destinations)s)
RETURNING {_COLUMNS}
"""


class SilenceRows(Executor):
    """Reads silences within a transaction."""

    def silences(self, now: datetime) -> list[Silence]:
        return [Silence(*row) for row in self._execute(_LASTING, now, now)]


class Silences:
    """Adds, ends and lists silences; rows are JSON-ready.

    Every method raises `TransientError` when the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, silence: Silence) -> dict[str, Any]:
        """Adds a silence, which is heeded from now on."""
        given = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(silence).items()
        }
        return self._acted(SilenceMade, silence.created_by, _ADD, given)

    def end(self, silence_id: str, who: str, now: datetime) -> dict[str, Any]:
        """Ends a silence before its time; the id may be the last characters of one. Raises `NotFound`."""
        named = FULL_ID.fullmatch(silence_id) or TAIL.fullmatch(silence_id)
        found = named and self._rows(
            "SELECT id::text AS id FROM silences WHERE ends_at > %(now)s AND right(id::text, %(size)s) = %(tail)s",
            {"now": now, "size": len(silence_id), "tail": silence_id.lower()},
        )
        if not found or len(found) > 1:
            raise NotFound(f"No silence that lasts or is to come ends with {silence_id}, or more than one does.")
        return self._acted(
            SilenceEnded,
            who,
            "UPDATE silences SET ends_at = greatest(%(now)s, starts_at), ended_by = %(who)s WHERE id = %(id)s"
            f" RETURNING {_COLUMNS}",
            {"now": now, "who": who, "id": found[0]["id"]},
        )

    def listed(self, *, since: datetime | None = None) -> list[dict[str, Any]]:
        """Lists the latest thousand, ended ones too; with `since` those that end after it."""
        return self._rows(
            f"SELECT {_COLUMNS} FROM silences WHERE %(since)s::timestamptz IS NULL OR ends_at > %(since)s"
            f" ORDER BY created_at DESC, id LIMIT {_LISTED}",
            {"since": since},
        )

    def _acted(self, act: type[Act], who: str, sql: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Changes a row, and records the act with it."""
        with translated_errors(), self._engine.begin() as connection:
            row = dict(connection.exec_driver_sql(sql, parameters).mappings().one())
            Acts(connection).record_act(AUDITED, row["id"], act, who)
            return row

    def _rows(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        with translated_errors(), self._engine.begin() as connection:
            return [dict(row) for row in connection.exec_driver_sql(sql, parameters).mappings()]
