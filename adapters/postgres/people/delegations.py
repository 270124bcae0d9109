"""Authority that one person lends to another until a moment. Rows stay: they tell who could act when."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from adapters.postgres.engine import translated_errors
from domain.errors import NotFound
from domain.identifiers import new_claim_id

_COLUMNS = 'id::text AS id, role, of, "to", until, created_at, revoked_at'


class Delegations:
    """Implements `domain.ports.store.Delegations`. Raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lend(self, role: str, of: str, to: str, until: datetime) -> dict[str, Any]:
        rows = self._rows(
            'INSERT INTO delegations (id, role, of, "to", until) SELECT %s, %s, %s, name, %s FROM api_tokens'
            f" WHERE name = %s AND disabled_at IS NULL AND role <> 'auditor' RETURNING {_COLUMNS}",
            (new_claim_id(), role, of, until, to),
        )
        if not rows:
            raise NotFound(f"There is nobody named {to} who may decide.")
        return rows[0]

    def revoke(self, delegation_id: str, of: str | None) -> dict[str, Any]:
        rows = self._rows(
            "UPDATE delegations SET revoked_at = coalesce(revoked_at, now())"
            f" WHERE id = %s AND (%s::text IS NULL OR of = %s) RETURNING {_COLUMNS}",
            (delegation_id, of, of),
        )
        if not rows:
            raise NotFound(f"There is no delegation {delegation_id} of yours.")
        return rows[0]

    def listed(self) -> list[dict[str, Any]]:
        return self._rows(f"SELECT {_COLUMNS} FROM delegations ORDER BY created_at DESC, id LIMIT 1000", ())

    def _rows(self, sql: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        with translated_errors(), self._engine.begin() as connection:
            return [dict(row) for row in connection.exec_driver_sql(sql, parameters).mappings()]
