"""Leases pending steps to the relay, and waits for new ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from select import select
from typing import Any, cast

import psycopg2
import psycopg2.extensions
from sqlalchemy import Engine

from adapters.postgres.engine import translated_errors
from domain.errors import TransientError

# One relay leases at a time. Else one that looks while another commits its lease locks the row a moment, and the
# worker, which leaves held rows alone, misses it. Sent as one string, both are one transaction, so a relay that is
# frozen cannot keep the lock. Any constant does, as long as nobody else uses it.
# Materialized: otherwise a plan may look for due steps once for every row, and lease more than the limit.
_LEASE = """
SELECT pg_advisory_xact_lock(7305779);
WITH due AS MATERIALIZED (
    SELECT id FROM steps
    WHERE due_at <= now() AND (leased_until IS NULL OR leased_until < now())
        AND (%s::text[] IS NULL OR kind = ANY(%s))
    ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE steps SET leased_until = now() + make_interval(secs => %s) FROM due WHERE steps.id = due.id
RETURNING steps.id, kind, cardinality(subject_ids) AS size, attempts, payload
"""
# Only what is due was leased, and the index knows what is due: most steps wait for days.
_LEASED = """
SELECT count(*) FROM steps
WHERE due_at <= now() AND leased_until > now() AND (%s::text[] IS NULL OR kind = ANY(%s))
"""


@dataclass(frozen=True, slots=True)
class DueStep:
    """A pending step that may be sent: its kind, how many subjects it names, its failures and its payload."""

    id: int
    kind: str
    size: int
    attempts: int = 0
    payload: Mapping[str, Any] = field(default_factory=dict)


class StepQueue:
    """Leases due steps: two relays do not send the same one, and one whose message was lost goes again."""

    def __init__(self, engine: Engine, lease_seconds: float, kinds: Sequence[str] | None = None) -> None:
        """Leases steps of these kinds only, if any are named."""
        self._engine = engine
        self._lease_seconds = lease_seconds
        self._kinds = None if kinds is None else list(kinds)

    def lease(self, limit: int) -> list[DueStep]:
        """Leases up to `limit` due steps, oldest first, and commits, so that their workers find them free."""
        with translated_errors(), self._engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            rows = (
                connection.exec_driver_sql(_LEASE, (self._kinds, self._kinds, limit, self._lease_seconds))
                .mappings()
                .all()
            )
        return sorted((DueStep(**row) for row in rows), key=lambda step: step.id)

    def release(self, ids: Sequence[int]) -> None:
        """Ends the leases of steps that could not be sent."""
        with translated_errors(), self._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE steps SET leased_until = NULL WHERE id = ANY(%s)", (list(ids),))

    def leased(self) -> int:
        """Counts the steps that are on their way at present."""
        with translated_errors(), self._engine.connect() as connection:
            return int(connection.exec_driver_sql(_LEASED, (self._kinds, self._kinds)).scalar_one())

    def release_all(self) -> None:
        """Ends every lease. For a start where no earlier process can still hold one."""
        with translated_errors(), self._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE steps SET leased_until = NULL WHERE leased_until IS NOT NULL")

    def due(self) -> int:
        """Counts the steps that are due and not done, leased or not."""
        with translated_errors(), self._engine.connect() as connection:
            sql = "SELECT count(*) FROM steps WHERE due_at <= now()"
            return int(connection.exec_driver_sql(sql).scalar_one())


class StepSignal:
    """Waits for the database to say that steps were added. Connects when first asked, again after a failure."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: psycopg2.extensions.connection | None = None

    def wait(self, seconds: float) -> None:
        """Returns when steps were added, or after `seconds`, whichever comes first.

        Raises `TransientError` when the database is away.
        """
        try:
            connection = self._connection or self._listen()
            if select([connection], [], [], seconds)[0]:
                connection.poll()
                connection.notifies.clear()
        except psycopg2.Error as error:
            self.close()
            raise TransientError(f"PostgreSQL: {str(error).strip().splitlines()[0]}") from error

    def _listen(self) -> psycopg2.extensions.connection:
        with translated_errors():
            pooled = self._engine.raw_connection()
            pooled.detach()
        connection = cast("psycopg2.extensions.connection", pooled.dbapi_connection)
        connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
        with connection.cursor() as cursor:
            cursor.execute("LISTEN spotclaim_steps")
        self._connection = connection
        return connection

    def close(self) -> None:
        """Ends the connection; the next wait makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
