"""Idempotency keys: which request each stands for, for a day."""

from hashlib import sha256

from sqlalchemy import Engine

from adapters.postgres.engine import translated_errors
from domain.errors import KeyReused

_RETENTION = "interval '24 hours'"
# Whoever comes clears away a few old keys, so that there are never many more than a day's.
_BIND = f"""
WITH cleared AS (
    DELETE FROM idempotency_keys WHERE key IN (
        SELECT key FROM idempotency_keys WHERE used_at < now() - {_RETENTION} AND key <> %s
        ORDER BY used_at LIMIT 10 FOR UPDATE SKIP LOCKED
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
