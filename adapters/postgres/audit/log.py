"""The log over all audit events: what waits for a position in it, what has one, and the checkpoints."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from adapters.postgres import writes
from adapters.postgres.engine import translated_errors
from domain.audit.chain import AuditEvent
from domain.errors import LogBroken

# Any constants do, as long as nobody else on the server uses them for advisory locks.
_SEQUENCER_LOCK = 7_305_776_003
_CHECKPOINT_LOCK = 7_305_776_004

# UTC with microseconds, as it was hashed.
INSTANT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

# Events of the claims that waited longest, from the last that has a position on. The rows that say who waits are
# removed: if the transaction fails they are there again.
_TAKE = f"""
WITH taken AS (
    DELETE FROM audit_pending WHERE id IN (SELECT id FROM audit_pending ORDER BY id LIMIT %s)
    RETURNING id, claim_ids
), waiting AS (
    SELECT claim_id, min(id) AS turn FROM taken, unnest(claim_ids) AS claim_id GROUP BY claim_id
)
SELECT e.claim_id::text, e.seq, {INSTANT.format("e.at")}, e.actor, e.kind, e.body, encode(e.hash, 'hex'),
    coalesce(logged.seq, 0), logged.leaf
FROM waiting
LEFT JOIN LATERAL (
    SELECT seq, leaf FROM audit_log WHERE claim_id = waiting.claim_id ORDER BY seq DESC LIMIT 1
) logged ON true
JOIN audit_events e ON e.claim_id = waiting.claim_id AND e.seq >= coalesce(logged.seq, 0)
ORDER BY waiting.turn, e.claim_id, e.seq
"""
_SIZE = "SELECT coalesce(max(position) + 1, 0) FROM audit_log"
_LEAVES = """
SELECT count(*), max(position) + 1, string_agg(leaf, ''::bytea ORDER BY position) FROM audit_log
WHERE position >= %s AND position < %s
"""
_LEAVES_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event of a claim that waits, or the last one before, and where that claim stands in the log."""

    event: AuditEvent
    logged_seq: int
    logged_leaf: bytes | None


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint line, the size it speaks of, and the peaks of the tree at that size."""

    size: int
    line: str
    peaks: tuple[bytes, ...]


class LogTurn:
    """One sequencer's turn, within one transaction: nobody else gives positions meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, limit: int) -> list[Waiting]:
        """What up to `limit` transactions added, in the order they added it; a claim's events in theirs."""
        rows = self._connection.exec_driver_sql(_TAKE, (limit,))
        return [Waiting(AuditEvent(*row[:7]), row[7], _bytes(row[8])) for row in rows]

    def append(self, entries: Sequence[tuple[str, int, str]]) -> None:
        """Gives each claim, sequence and leaf (hexadecimal) the next position."""
        first = int(self._connection.exec_driver_sql(_SIZE).scalar_one())
        placed = (_Entry(first + place, *entry) for place, entry in enumerate(entries))
        self._connection.exec_driver_sql(writes.INSERT_LOG.sql, (writes.INSERT_LOG.rows(placed),))


@dataclass(frozen=True, slots=True)
class _Entry:
    position: int
    claim_id: str
    seq: int
    leaf: str


class CheckpointTurn:
    """One maker of checkpoints, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last(self) -> StoredCheckpoint | None:
        """The latest checkpoint."""
        sql = "SELECT size, line, peaks FROM audit_checkpoints ORDER BY size DESC LIMIT 1"
        row = self._connection.exec_driver_sql(sql).first()
        if row is None:
            return None
        peaks = bytes(row.peaks)
        return StoredCheckpoint(row.size, row.line, tuple(peaks[at : at + 32] for at in range(0, len(peaks), 32)))

    def leaves(self, begin: int) -> Iterator[bytes]:
        """The leaves from a position on to the end, many at once."""
        return _leaves(self._connection, begin)

    def put(self, checkpoint: StoredCheckpoint) -> None:
        """Stores the next checkpoint."""
        self._connection.exec_driver_sql(
            "INSERT INTO audit_checkpoints (size, line, peaks) VALUES (%s, %s, %s)",
            (checkpoint.size, checkpoint.line, b"".join(checkpoint.peaks)),
        )


class AuditLog:
    """The log. Every method raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def sequencing(self) -> Iterator[LogTurn | None]:
        """A turn at giving positions; None while somebody else has it. Commits when the block ends."""
        with self._turn(_SEQUENCER_LOCK) as connection:
            yield LogTurn(connection) if connection else None

    @contextmanager
    def checkpointing(self) -> Iterator[CheckpointTurn | None]:
        """A turn at making a checkpoint; None while somebody else has it. Commits when the block ends."""
        with self._turn(_CHECKPOINT_LOCK) as connection:
            yield CheckpointTurn(connection) if connection else None

    @contextmanager
    def _turn(self, lock: int) -> Iterator[Connection | None]:
        with translated_errors(), self._engine.begin() as connection:
            mine = connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s)", (lock,)).scalar_one()
            yield connection if mine else None

    def size(self) -> int:
        """How many events have a position."""
        with translated_errors(), self._engine.connect() as connection:
            return int(connection.exec_driver_sql(_SIZE).scalar_one())

    def checkpoints(self, after: int = -1) -> list[str]:
        """The checkpoint lines beyond a size, the smallest first."""
        sql = "SELECT line FROM audit_checkpoints WHERE size > %s ORDER BY size"
        with translated_errors(), self._engine.connect() as connection:
            return list(connection.exec_driver_sql(sql, (after,)).scalars())

    def leaves(self, size: int) -> bytes:
        """The first `size` leaves."""
        with translated_errors(), self._engine.connect() as connection:
            return b"".join(_leaves(connection, 0, size))

    def position(self, claim_id: str, seq: int) -> int | None:
        """The position of an event; None while it has none."""
        sql = "SELECT position FROM audit_log WHERE claim_id = %s AND seq = %s"
        with translated_errors(), self._engine.connect() as connection:
            position: int | None = connection.exec_driver_sql(sql, (claim_id, seq)).scalar()
        return position


def _leaves(connection: Connection, begin: int, end: int | None = None) -> Iterator[bytes]:
    """Portions of leaves up to `end`, or to the last. Raises `LogBroken` where a position is missing."""
    while end is None or begin < end:
        upto = begin + _LEAVES_AT_ONCE if end is None else min(begin + _LEAVES_AT_ONCE, end)
        count, reached, leaves = connection.exec_driver_sql(_LEAVES, (begin, upto)).one()
        if not count:
            return
        if begin + count != reached:
            raise LogBroken(f"The log lacks positions between {begin} and {reached}.")
        yield bytes(leaves)
        begin += count


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
