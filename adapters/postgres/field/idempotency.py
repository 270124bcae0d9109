"""Binds idempotency keys to requests, for a day."""

from hashlib import sha256
from typing import Final

from sqlalchemy import Column, Engine, Index, LargeBinary, Table

from adapters.postgres.engine import translated_errors
from adapters.postgres.metadata import MOMENT, metadata
from domain.errors import KeyReused

# Digests of a program's name with its key, and of the request that the key stands for.
idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("used_at", MOMENT, nullable=False),
    Index("idempotency_keys_used", "used_at"),
)

_RETENTION: Final = "interval '24 hours'"
# Whoever comes clears away so many old keys; the rest stay for whoever comes next.
_CLEARED_AT_ONCE: Final = 10
_BIND: Final = f"""
WITH cleared AS (
    DELETE FROM idempotency_keys WHERE key IN (
        SELECT key FROM idempotency_keys WHERE used_at < now() - {_RETENTION} AND key <> %s
        ORDER BY used_at LIMIT {_CLEARED_AT_ONCE} FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO idempotency_keys AS k (key, request, used_at) VALUES (%s, %s, now())
ON CONFLICT (key) DO UPDATE SET
    request = CASE WHEN k.used_at < now() - {_RETENTION} THEN excluded.request ELSE k.request END,
    used_at = CASE WHEN k.used_at < now() - {_RETENTION} THEN excluded.used_at ELSE k.used_at END
RETURNING request
"""


class IdempotencyKeys:
    """Implements `domain.ports.store.BindKey`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, who: str, key: str, request: bytes) -> None:
        name, digest = sha256(f"{len(who)} {who}{key}".encode()).digest(), sha256(request).digest()
        with translated_errors(), self._engine.begin() as connection:
            bound = connection.exec_driver_sql(_BIND, (name, name, digest)).scalar_one()
        if bytes(bound) != digest:
            raise KeyReused(f"The idempotency key {key!r} stands for another request; take a new one for this.")
