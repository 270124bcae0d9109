"""Stores the authority that one person lends to another until a moment.

Rows stay: they tell who could act when.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Engine, Index, Table, Text, text

from adapters.postgres.audit.acts import Acts, Audited, chain_columns
from adapters.postgres.engine import translated_errors
from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.statements import Executor
from domain.administration.act import Act
from domain.administration.people_acts import DelegationEnded, DelegationGiven
from domain.administration.things import LentAuthority
from domain.claims.decide import Delegation
from domain.errors import NotFound
from domain.identifiers import new_claim_id

delegations: Final = Table(
    "delegations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("role", Text, nullable=False),
    Column("of", Text, nullable=False),
    Column("to", Text, nullable=False),
    Column("until", MOMENT, nullable=False),
    Column("created_at", MOMENT, nullable=False, server_default=text("now()")),
    Column("revoked_at", MOMENT),
    *chain_columns(),
    Index("delegations_to", "to"),
)

AUDITED: Final = Audited(delegations, LentAuthority)

# The latest delegations are listed; earlier ones are left out.
_LISTED: Final = 1000

# Nobody lends what they have no more.
_DELEGATIONS_TO: Final = """
SELECT d.role, d.of, d.until FROM delegations d
JOIN api_tokens t ON t.name = d.of AND t.role = d.role AND t.disabled_at IS NULL
WHERE d."to" = %s AND d.until > %s AND d.revoked_at IS NULL ORDER BY d.until, d.id
"""
_COLUMNS: Final = 'id::text AS id, role, of, "to", until, created_at, revoked_at'


class DelegationRows(Executor):
    """Reads delegations within a transaction."""

    def delegations_to(self, name: str, now: datetime) -> list[Delegation]:
        return [Delegation(*row) for row in self._execute(_DELEGATIONS_TO, name, now)]


class Delegations:
    """Implements `domain.ports.store.Delegations`. Raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lend(self, role: str, of: str, to: str, until: datetime) -> dict[str, Any]:
        rows = self._acted(
            DelegationGiven,
            of,
            'INSERT INTO delegations (id, role, of, "to", until) SELECT %s, %s, %s, name, %s FROM api_tokens'
            f" WHERE name = %s AND disabled_at IS NULL AND role <> 'auditor' RETURNING {_COLUMNS}",
            (new_claim_id(), role, of, until, to),
        )
        if not rows:
            raise NotFound(f"There is nobody named {to} who may decide.")
        return rows[0]

    def revoke(self, delegation_id: str, of: str | None, who: str) -> dict[str, Any]:
        its = "WHERE id = %s AND (%s::text IS NULL OR of = %s)"
        parameters = (delegation_id, of, of)
        rows = self._acted(
            DelegationEnded,
            who,
            f"UPDATE delegations SET revoked_at = now() {its} AND revoked_at IS NULL RETURNING {_COLUMNS}",
            parameters,
        ) or self._rows(f"SELECT {_COLUMNS} FROM delegations {its}", parameters)
        if not rows:
            raise NotFound(f"There is no delegation {delegation_id} of yours.")
        return rows[0]

    def listed(self) -> list[dict[str, Any]]:
        return self._rows(f"SELECT {_COLUMNS} FROM delegations ORDER BY created_at DESC, id LIMIT {_LISTED}", ())

    def _acted(self, act: type[Act], who: str, sql: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        """Changes a row, and records the act with it."""
        with translated_errors(), self._engine.begin() as connection:
            rows = [dict(row) for row in connection.exec_driver_sql(sql, parameters).mappings()]
            for row in rows:
                Acts(connection).record_act(AUDITED, row["id"], act, who)
            return rows

    def _rows(self, sql: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        with translated_errors(), self._engine.begin() as connection:
            return [dict(row) for row in connection.exec_driver_sql(sql, parameters).mappings()]
