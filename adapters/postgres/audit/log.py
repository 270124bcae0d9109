"""Stores the log over all audit events, and its checkpoints.

The sequencer gives waiting events their positions; checkpoints sign the Merkle tree over them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Engine, Index, Integer, LargeBinary, Table, Text

from adapters.postgres.audit.keys import SigningKeys
from adapters.postgres.engine import translated_errors
from adapters.postgres.metadata import ID, metadata
from adapters.postgres.statements import insert
from domain.audit.chain import AuditEvent
from domain.errors import LogBroken

# Every audit event once, in one order. Positions begin at 0; `leaf` is the event's leaf in the Merkle tree.
audit_log: Final = Table(
    "audit_log",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("subject_id", ID, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Index("audit_log_event", "subject_id", "seq", unique=True),
)

audit_checkpoints: Final = Table(
    "audit_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    # The signed checkpoint as it is kept elsewhere too, and what the tree needs to grow on from it.
    Column("line", Text, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
)

_WRITTEN: Final = ("position", "subject_id", "seq", "leaf")

# Any constants do, as long as nobody else on the server uses them for advisory locks.
_SEQUENCER_LOCK = 7_305_776_003
_CHECKPOINT_LOCK = 7_305_776_004

# UTC with microseconds, as it was hashed.
INSTANT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

# Events of the subjects that waited longest, from the last that has a position on. The rows that say who waits are
# removed: if the transaction fails they are there again.
_TAKE = f"""
WITH taken AS (
    DELETE FROM audit_pending WHERE id IN (SELECT id FROM audit_pending ORDER BY id LIMIT %s)
    RETURNING id, subject_ids
), waiting AS (
    SELECT subject_id, min(id) AS turn FROM taken, unnest(subject_ids) AS subject_id GROUP BY subject_id
)
SELECT e.subject_id::text, e.seq, {INSTANT.format("e.at")}, e.actor, e.kind, e.body, encode(e.hash, 'hex'),
    coalesce(logged.seq, 0), logged.leaf
FROM waiting
LEFT JOIN LATERAL (
    SELECT seq, leaf FROM audit_log WHERE subject_id = waiting.subject_id ORDER BY seq DESC LIMIT 1
) logged ON true
JOIN audit_events e ON e.subject_id = waiting.subject_id AND e.seq >= coalesce(logged.seq, 0)
ORDER BY waiting.turn, e.subject_id, e.seq
"""
_SIZE = "SELECT coalesce(max(position) + 1, 0) FROM audit_log"
_LEAVES = """
SELECT count(*), max(position) + 1, string_agg(leaf, ''::bytea ORDER BY position) FROM audit_log
WHERE position >= %s AND position < %s
"""
_LEAVES_AT_ONCE = 65_536

_INSERT_LOG: Final = insert(audit_log, _WRITTEN)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event of a subject that waits, or the last one before, and where that subject stands in the log."""

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
    """Gives positions within one transaction; nobody else does meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, limit: int) -> list[Waiting]:
        """Takes what up to `limit` transactions added, in their order; a subject's events in their own."""
        rows = self._connection.exec_driver_sql(_TAKE, (limit,))
        return [Waiting(AuditEvent(*row[:7]), row[7], _bytes(row[8])) for row in rows]

    def append(self, entries: Sequence[tuple[str, int, str]]) -> None:
        """Gives each subject, sequence and leaf (hexadecimal) the next position."""
        first = int(self._connection.exec_driver_sql(_SIZE).scalar_one())
        placed = (_Entry(first + place, *entry) for place, entry in enumerate(entries))
        self._connection.exec_driver_sql(_INSERT_LOG.sql, (_INSERT_LOG.rows(placed),))


@dataclass(frozen=True, slots=True)
class _Entry:
    position: int
    subject_id: str
    seq: int
    leaf: str


class CheckpointTurn:
    """Makes checkpoints within one transaction; nobody else does meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last(self) -> StoredCheckpoint | None:
        """Reads the latest checkpoint."""
        sql = "SELECT size, line, peaks FROM audit_checkpoints ORDER BY size DESC LIMIT 1"
        row = self._connection.exec_driver_sql(sql).first()
        if row is None:
            return None
        peaks = bytes(row.peaks)
        return StoredCheckpoint(row.size, row.line, tuple(peaks[at : at + 32] for at in range(0, len(peaks), 32)))

    def leaves(self, begin: int) -> Iterator[bytes]:
        """Reads the leaves from a position on to the end, many at once."""
        return _leaves(self._connection, begin)

    def put(self, checkpoint: StoredCheckpoint) -> None:
        """Stores the next checkpoint."""
        self._connection.exec_driver_sql(
            "INSERT INTO audit_checkpoints (size, line, peaks) VALUES (%s, %s, %s)",
            (checkpoint.size, checkpoint.line, b"".join(checkpoint.peaks)),
        )


class AuditLog:
    """Gives turns at the log, and reads it. Every method raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.keys = SigningKeys(engine)

    @contextmanager
    def sequencing(self) -> Iterator[LogTurn | None]:
        """Takes a turn at giving positions; None while somebody else has it. Commits when the block ends."""
        with self._turn(_SEQUENCER_LOCK) as connection:
            yield LogTurn(connection) if connection else None

    @contextmanager
    def checkpointing(self) -> Iterator[CheckpointTurn | None]:
        """Takes a turn at making a checkpoint; None while somebody else has it. Commits when the block ends."""
        with self._turn(_CHECKPOINT_LOCK) as connection:
            yield CheckpointTurn(connection) if connection else None

    @contextmanager
    def _turn(self, lock: int) -> Iterator[Connection | None]:
        with translated_errors(), self._engine.begin() as connection:
            mine = connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s)", (lock,)).scalar_one()
            yield connection if mine else None

    def size(self) -> int:
        """Counts the events that have a position."""
        with translated_errors(), self._engine.connect() as connection:
            return int(connection.exec_driver_sql(_SIZE).scalar_one())

    def checkpoints(self, after: int = -1) -> list[str]:
        """Reads the checkpoint lines beyond a size, the smallest first."""
        sql = "SELECT line FROM audit_checkpoints WHERE size > %s ORDER BY size"
        with translated_errors(), self._engine.connect() as connection:
            return list(connection.exec_driver_sql(sql, (after,)).scalars())

    def leaves(self, size: int) -> bytes:
        """Reads the first `size` leaves."""
        with translated_errors(), self._engine.connect() as connection:
            return b"".join(_leaves(connection, 0, size))

    def position(self, subject_id: str, seq: int) -> int | None:
        """Finds the position of an event; None while it has none."""
        sql = "SELECT position FROM audit_log WHERE subject_id = %s AND seq = %s"
        with translated_errors(), self._engine.connect() as connection:
            position: int | None = connection.exec_driver_sql(sql, (subject_id, seq)).scalar()
        return position


def _leaves(connection: Connection, begin: int, end: int | None = None) -> Iterator[bytes]:
    """Reads portions of leaves up to `end`, or to the last. Raises `LogBroken` where a position is missing."""
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
