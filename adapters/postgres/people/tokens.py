"""Stores API tokens: only a digest of each, so nobody who reads the database can use one."""

from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Column, Engine, LargeBinary, Table, Text, text

from adapters.postgres.audit.acts import Acts, Audited, chain_columns
from adapters.postgres.engine import translated_errors
from adapters.postgres.metadata import ID, MOMENT, metadata
from domain.administration.people_acts import RoleChanged, TokenAdded, TokenDisabled, TokenReplaced
from domain.administration.things import Token, thing_id
from domain.errors import NotFound, SetupError
from domain.ports.store import Identity

api_tokens: Final = Table(
    "api_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("created_at", MOMENT, nullable=False, server_default=text("now()")),
    Column("disabled_at", MOMENT),
    Column("subject_id", ID, nullable=False, unique=True),
    *chain_columns(),
)

AUDITED: Final = Audited(api_tokens, Token, key="subject_id")

# Where nothing is to be changed, no row comes back, and there is nothing to record.
_PUT: Final = """
INSERT INTO api_tokens AS t (digest, name, role, subject_id) VALUES (%s, %s, %s, %s) ON CONFLICT (name) DO UPDATE
SET digest = excluded.digest, role = excluded.role, disabled_at = NULL
WHERE (t.digest, t.role) IS DISTINCT FROM (excluded.digest, excluded.role) OR t.disabled_at IS NOT NULL
RETURNING subject_id::text
"""


class Tokens:
    """Implements `domain.ports.store.Authenticate` and sets the first token."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, token: str) -> Identity | None:
        """Finds who holds this token; None for one that is unknown or disabled. Raises `TransientError`."""
        sql = "SELECT name, role FROM api_tokens WHERE digest = %s AND disabled_at IS NULL"
        with translated_errors(), self._engine.connect() as connection:
            row = connection.exec_driver_sql(sql, (_digest(token),)).mappings().first()
        return Identity(**row) if row else None

    def any(self) -> bool:
        """Tells whether any token exists."""
        with translated_errors(), self._engine.connect() as connection:
            return bool(connection.exec_driver_sql("SELECT EXISTS (SELECT FROM api_tokens)").scalar_one())

    def put(self, name: str, role: str, token: str, who: str = "start") -> None:
        """Sets the token and role of a name, in place of any it had; `who` does so.

        Raises `SetupError` when the token is another name's: a digest tells who asks, so it can be only one's.
        """
        holder = self(token)
        if holder is not None and holder.name != name:
            raise SetupError(f"SPOTCLAIM_BOOTSTRAP_TOKEN: this token is already that of {holder.name}.")
        with translated_errors(), self._engine.begin() as connection:
            before = connection.exec_driver_sql("SELECT role FROM api_tokens WHERE name = %s FOR UPDATE", (name,))
            had = before.scalar()
            act = TokenAdded if had is None else TokenReplaced if had == role else RoleChanged
            row = (_digest(token), name, role, thing_id("token", name))
            for subject_id in connection.exec_driver_sql(_PUT, row).scalars():
                Acts(connection).record_act(AUDITED, subject_id, act, who)

    def listed(self) -> list[dict[str, Any]]:
        """Lists everybody by name: name, role, created_at, disabled_at."""
        sql = "SELECT name, role, created_at, disabled_at FROM api_tokens ORDER BY name"
        with translated_errors(), self._engine.connect() as connection:
            return [dict(row) for row in connection.exec_driver_sql(sql).mappings()]

    def disable(self, name: str, who: str) -> None:
        """Ends the name's token at once. Raises `NotFound`."""
        sql = "SELECT subject_id::text, disabled_at FROM api_tokens WHERE name = %s FOR UPDATE"
        with translated_errors(), self._engine.begin() as connection:
            row = connection.exec_driver_sql(sql, (name,)).one_or_none()
            if row is None:
                raise NotFound(f"There is no user {name}.")
            if row.disabled_at is None:
                connection.exec_driver_sql("UPDATE api_tokens SET disabled_at = now() WHERE name = %s", (name,))
                Acts(connection).record_act(AUDITED, row.subject_id, TokenDisabled, who)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
