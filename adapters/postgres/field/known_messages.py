"""Finds the messages that came before, so that importing a file again costs a look and no write."""

from typing import Final

from sqlalchemy import Engine

from adapters.postgres.engine import translated_errors
from adapters.postgres.statements import as_array
from domain.field.batch import Batch

_KNOWN: Final = " UNION ALL ".join(
    f"SELECT replace(key::text, '-', '') FROM {table} WHERE key = ANY(%s::uuid[])"
    for table in ("faults", "usage_records", "spots", "quarantine")
)


class KnownMessages:
    """Implements `domain.ports.store.Known`. Raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, batch: Batch) -> set[str]:
        parts = (batch.faults, batch.usage, batch.spots, batch.quarantined)
        keys = tuple(as_array(message.key for message in part) for part in parts)
        with translated_errors(), self._engine.connect() as connection:
            return set(connection.exec_driver_sql(_KNOWN, keys).scalars())
