"""Which messages came before, so that a file that is imported again costs a look and no write."""

from sqlalchemy import Engine

from adapters.postgres import reads
from adapters.postgres.engine import translated_errors
from domain.field.batch import Batch


class KnownMessages:
    """Implements `domain.ports.store.Known`. Raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, batch: Batch) -> set[str]:
        parts = (batch.faults, batch.usage, batch.spots, batch.quarantined)
        keys = tuple("{" + ",".join(message.key for message in part) + "}" for part in parts)
        with translated_errors(), self._engine.connect() as connection:
            return set(connection.exec_driver_sql(reads.KNOWN_BATCH, keys).scalars())
