"""Stores which key may sign checkpoints, once another one took the place of the first."""

from typing import Final

from sqlalchemy import Column, Connection, Engine, Table, Text, text

from adapters.postgres.audit.acts import Acts, Audited, chain_columns
from adapters.postgres.engine import translated_errors
from adapters.postgres.metadata import ID, MOMENT, metadata
from domain.administration.operating_acts import KeyReplaced
from domain.administration.things import SigningKey, thing_id

# One row, or none while the key that signed the first checkpoint is the one that signs.
audit_keys: Final = Table(
    "audit_keys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("key", Text, nullable=False),
    Column("previous", Text),
    Column("since", MOMENT, nullable=False, server_default=text("now()")),
    Column("reason", Text, nullable=False),
    *chain_columns(),
)

AUDITED: Final = Audited(audit_keys, SigningKey)

_REPLACE: Final = """
INSERT INTO audit_keys (id, key, previous, reason) VALUES (%s, %s, %s, %s) ON CONFLICT (id) DO UPDATE
SET key = excluded.key, previous = excluded.previous, reason = excluded.reason, since = now()
"""
_PRESENT: Final = """
SELECT coalesce(
    (SELECT key FROM audit_keys),
    (SELECT line::jsonb ->> 'key' FROM audit_checkpoints ORDER BY size DESC LIMIT 1)
)
"""


class SigningKeys:
    """Says which key is to sign, and lets another. Every method raises `TransientError`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def present(self) -> str | None:
        """Returns the id of the key that is to sign; None where nothing was signed yet."""
        with translated_errors(), self._engine.connect() as connection:
            return _present(connection)

    def replace(self, key: str, reason: str, who: str) -> str | None:
        """Lets another key sign from now on, and returns the id of the one before."""
        subject_id = thing_id("signing key", "")
        with translated_errors(), self._engine.begin() as connection:
            previous = _present(connection)
            connection.exec_driver_sql(_REPLACE, (subject_id, key, previous, reason))
            Acts(connection).record_act(AUDITED, subject_id, KeyReplaced, who)
        return previous


def _present(connection: Connection) -> str | None:
    key: str | None = connection.exec_driver_sql(_PRESENT).scalar()
    return key
