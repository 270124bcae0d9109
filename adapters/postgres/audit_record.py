"""The whole audit record as it stands at one moment, read in portions fast enough to be replayed often."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import lru_cache
from io import BytesIO
from typing import Any

import orjson
from sqlalchemy import DateTime, Engine, LargeBinary

from adapters.postgres.engine import translated_errors
from adapters.postgres.tables import claims
from domain.audit import one_line

Claim = dict[str, Any]
Record = list[bytes]
Portion = tuple[list[Claim], Iterable[Record]]

_CLAIMS_AT_ONCE = 1_000


def _as_stated(column: Any) -> str:
    """A column as audit events spell its value, but for moments, which PostgreSQL is slow to spell otherwise."""
    if isinstance(column.type, LargeBinary):
        return f"encode({column.name}, 'hex') AS {column.name}"
    return f'"{column.name}"'


_MOMENTS = tuple(column.name for column in claims.c if isinstance(column.type, DateTime))
_CLAIMS = f"""
SELECT row_to_json(c)::text FROM (
    SELECT {", ".join(map(_as_stated, claims.c))} FROM claims
    WHERE id > coalesce(%s, '00000000-0000-0000-0000-000000000000')::uuid ORDER BY id LIMIT %s
) c
"""
_RECORDS = """
COPY (
    SELECT e.claim_id, e.seq, e.at, e.actor, e.kind, e.body, encode(e.hash, 'hex'), coalesce(l.position::text, '')
    FROM audit_events e LEFT JOIN audit_log l ON l.claim_id = e.claim_id AND l.seq = e.seq AND {l}
    WHERE {e} ORDER BY e.claim_id, e.seq
) TO STDOUT
"""
_LEAVES = """
SELECT string_agg(leaf, ''::bytea ORDER BY position) FROM audit_log WHERE position >= %s AND position < %s
"""
_LEAVES_AT_ONCE = 65_536
_WAITING = "SELECT DISTINCT unnest(claim_ids)::text FROM audit_pending"
_SIZES = "SELECT (SELECT coalesce(max(position) + 1, 0) FROM audit_log), (SELECT sum(version) FROM claims)"
_BEGIN = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class DatabaseRecord:
    """Claims, events, log and checkpoints of one snapshot. Implements `workers.auditor.Record`.

    Every method raises `TransientError` when the database is away.
    """

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.log_size, events = self._rows(_SIZES)[0]
        self.events = int(events or 0)
        self.checkpoints: list[str] = [
            line for (line,) in self._rows("SELECT line FROM audit_checkpoints ORDER BY size")
        ]
        self.waiting: set[str] | None = {claim_id for (claim_id,) in self._rows(_WAITING)}

    def portions(self) -> Iterator[Portion]:
        """Claims in the order of their ids, and all events up to the last of them in theirs. While one portion is
        looked at, the next is read."""
        with ThreadPoolExecutor(1) as pool, translated_errors():
            after, portion = None, self._portion(None)
            while portion[0]:
                after = portion[0][-1]["id"]
                coming = pool.submit(self._portion, after)
                yield portion
                portion = coming.result()
            yield portion

    def leaves(self) -> Iterator[bytes]:
        """The log's own leaves, in order of position, whatever positions there are."""
        begin = 0
        while begin < self.log_size:
            [(leaves,)] = self._rows(_LEAVES, (begin, begin + _LEAVES_AT_ONCE))
            yield bytes(leaves or b"")
            begin += _LEAVES_AT_ONCE

    def _portion(self, after: str | None) -> Portion:
        """The claims beyond an id and their events; with no claim left, the events beyond it."""
        found = [_claim(row) for (row,) in self._rows(_CLAIMS, (after, _CLAIMS_AT_ONCE))]
        upto = found[-1]["id"] if found else None
        # Bounds for both tables: the planner does not carry them from one to the other.
        bounds = {table: self._between(f"{table}.claim_id", after, upto) for table in ("e", "l")}
        stream = BytesIO()
        self._cursor.copy_expert(_RECORDS.format(**bounds), stream)
        stream.seek(0)
        return found, map(_record, stream)

    def _between(self, column: str, after: str | None, upto: str | None) -> str:
        bounds = [(f"{column} > %s::uuid", after), (f"{column} <= %s::uuid", upto)]
        known = [self._cursor.mogrify(bound, (claim_id,)).decode() for bound, claim_id in bounds if claim_id]
        return " AND ".join(known) or "true"

    def _rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        self._cursor.execute(sql, parameters)
        return list(self._cursor.fetchall())


@contextmanager
def open_record(engine: Engine) -> Iterator[DatabaseRecord]:
    """The record as it is now; what is written meanwhile is not in it. Raises `TransientError`."""
    with translated_errors(), engine.connect() as connection:
        connection.exec_driver_sql(_BEGIN)
        with closing(connection.connection.cursor()) as cursor:
            yield DatabaseRecord(cursor)


def _claim(row: str) -> Claim:
    claim: Claim = orjson.loads(row)
    for name in _MOMENTS:
        if claim[name] is not None:
            claim[name] = _spelled(claim[name])
    return claim


@lru_cache(maxsize=4096)
def _spelled(moment: str) -> str:
    """A moment that PostgreSQL spelled, in UTC, as `domain.audit.instant` does."""
    digits, _, _ = moment.partition("+")
    return f"{digits[:10]}T{digits[11:19]}.{digits[20:]:0<6}Z"


@lru_cache(maxsize=4096)
def _hashed_moment(moment: bytes) -> bytes:
    return _spelled(moment.decode()).encode()


_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def _record(line: bytes) -> Record:
    """The fields of a line of COPY's text format."""
    fields = line[:-1].split(b"\t")
    if b"\\" in line:
        fields = [_ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), field) for field in fields]
        fields[3] = one_line(fields[3].decode()).encode()
    fields[2] = _hashed_moment(fields[2])
    return fields
