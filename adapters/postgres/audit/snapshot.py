"""Reads a snapshot of the whole audit record, in portions, fast enough to be replayed often."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from typing import Any

import orjson
from sqlalchemy import DateTime, Engine, LargeBinary, Table

from adapters.postgres.audit.acts import Audited
from adapters.postgres.audit.keys import AUDITED as KEYS
from adapters.postgres.audit.named_rows import NamedRowReads
from adapters.postgres.claims.claims import claims
from adapters.postgres.claims.policies import AUDITED as POLICIES
from adapters.postgres.engine import connect, translated_errors
from adapters.postgres.field.meter_keys import AUDITED as METER_KEYS
from adapters.postgres.field.quarantine import AUDITED as MESSAGES
from adapters.postgres.incidents.incidents import incidents
from adapters.postgres.notifications.destinations import AUDITED as DESTINATIONS
from adapters.postgres.notifications.silences import AUDITED as SILENCES
from adapters.postgres.people.delegations import AUDITED as DELEGATIONS
from adapters.postgres.people.tokens import AUDITED as TOKENS
from domain.audit.chain import one_line

Claim = dict[str, Any]
Record = list[bytes]
Portion = tuple[list[Claim], Iterable[Record]]

_CLAIMS_AT_ONCE = 1_000
_CLAIMS_IN_PART = 4_000


def _as_stated(column: Any) -> str:
    """Spells a column as audit events do, but for moments, which PostgreSQL is slow to spell otherwise."""
    if isinstance(column.type, LargeBinary):
        return f"encode({column.name}, 'hex') AS {column.name}"
    return f'"{column.name}"'


def _stated(table: Table, *others: str) -> str:
    """Selects the first rows of a table whose ids lie between two bounds, as audit events spell their values."""
    columns = ", ".join([*map(_as_stated, table.c), *others])
    rows = f"SELECT {columns} FROM {table.name} WHERE {{c}} ORDER BY id LIMIT {_CLAIMS_AT_ONCE}"
    return f"(SELECT r.id, row_to_json(r)::text AS row FROM ({rows}) r)"


def _administered(audited: Audited, thing: str) -> str:
    """Selects rows that are administered, as `_stated` does."""
    rows = (
        f"SELECT {audited.key} AS u, '{thing}' AS thing, {audited.columns()} FROM {audited.table.name}"
        f" WHERE {audited.where} AND {{{audited.key}}} ORDER BY {audited.key} LIMIT {_CLAIMS_AT_ONCE}"
    )
    return f"(SELECT r.u AS id, (to_jsonb(r) - 'u')::text AS row FROM ({rows}) r)"


AUDITED = {
    "delegation": DELEGATIONS,
    "token": TOKENS,
    "silence": SILENCES,
    "destination": DESTINATIONS,
    "message in quarantine": MESSAGES,
    "policy": POLICIES,
    "signing key": KEYS,
    "public key of a meter": METER_KEYS,
}
_TABLES = (claims, incidents, *(it.table for it in AUDITED.values()))
_MOMENTS = {column.name for table in _TABLES for column in table.c if isinstance(column.type, DateTime)}
_THINGS = [_administered(audited, thing) for thing, audited in AUDITED.items()]
_LINK = "(SELECT incident_id FROM incident_claims l WHERE l.claim_id = claims.id) AS incident_id"
# Incidents are audited as claims are, and lie among them by their ids.
_CLAIMS = f"""
SELECT row FROM (
    {" UNION ALL ".join([_stated(claims, _LINK), _stated(incidents), *_THINGS])}
) u ORDER BY id LIMIT {_CLAIMS_AT_ONCE}
"""
_RECORDS = """
COPY (
    SELECT e.subject_id, e.seq, e.at, e.actor, e.kind, e.body, encode(e.hash, 'hex'),
        coalesce(l.position::text, '')
    FROM audit_events e LEFT JOIN audit_log l ON l.subject_id = e.subject_id AND l.seq = e.seq AND {l}
    WHERE {e} ORDER BY e.subject_id, e.seq
) TO STDOUT
"""
_LEAVES = """
SELECT string_agg(leaf, ''::bytea ORDER BY position) FROM audit_log WHERE position >= %s AND position < %s
"""
_LEAVES_AT_ONCE = 65_536
_WAITING = """
SELECT subject_id::text FROM (SELECT DISTINCT unnest(subject_ids) AS subject_id FROM audit_pending) w WHERE {w}
"""
_VERSIONS = [
    f"coalesce((SELECT sum({version}) FROM {table.name}), 0)"
    for table, version in [
        (claims, "version"),
        (incidents, "version"),
        *((it.table, it.version) for it in AUDITED.values()),
    ]
]
_SIZES = f"SELECT (SELECT coalesce(max(position) + 1, 0) FROM audit_log), {' + '.join(_VERSIONS)}"
_BOUNDS = """
SELECT id::text FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM claims) c
WHERE place %% %s = 0 ORDER BY id
"""
_BEGIN = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# Whoever names a snapshot must stay, with nothing to do, until the last part has been opened.
_STAY = "SET LOCAL idle_in_transaction_session_timeout = '6h'"


class OpenDatabasePart:
    """Reads a range of claim ids in one snapshot. Implements `workers.audit.chain_replay.OpenPart`."""

    def __init__(
        self, cursor: Any, after: str | None = None, upto: str | None = None, *, files_inside: bool = True
    ) -> None:
        self._cursor = cursor
        self.rows = NamedRowReads(cursor, files_inside=files_inside)
        self._after, self._upto = after, upto
        waiting = _rows(cursor, _WAITING.format(w=self._between("subject_id", after, upto)))
        self.waiting: set[str] | None = {subject_id for (subject_id,) in waiting}

    def portions(self) -> Iterator[Portion]:
        """Reads claims in the order of their ids, and all events up to the last of them in theirs.

        While one portion is looked at, the next is read.
        """
        with ThreadPoolExecutor(1) as pool, translated_errors():
            portion = self._portion(self._after)
            while portion[0]:
                coming = pool.submit(self._portion, portion[0][-1]["id"])
                yield portion
                portion = coming.result()
            yield portion

    def _portion(self, after: str | None) -> Portion:
        """Reads the claims beyond an id and their events; with no claim left, the events beyond it."""
        bounds = {name: self._between(name, after, self._upto) for name in ("id", "key", "subject_id")}
        wanted = _CLAIMS.format(c=bounds["id"], **bounds)
        found = [_claim(row) for (row,) in _rows(self._cursor, wanted)]
        upto = found[-1]["id"] if found else self._upto
        # Bounds for both tables: the planner does not carry them from one to the other.
        bounds = {table: self._between(f"{table}.subject_id", after, upto) for table in ("e", "l")}
        stream = BytesIO()
        self._cursor.copy_expert(_RECORDS.format(**bounds), stream)
        stream.seek(0)
        return found, map(_record, stream)

    def _between(self, column: str, after: str | None, upto: str | None) -> str:
        bounds = [(f"{column} > %s::uuid", after), (f"{column} <= %s::uuid", upto)]
        known = [self._cursor.mogrify(bound, (claim_id,)).decode() for bound, claim_id in bounds if claim_id]
        return " AND ".join(known) or "true"


@dataclass(frozen=True)
class DatabasePart:
    """Names the claims beyond one id, up to another, in a snapshot that somebody holds.

    Implements `workers.audit.chain_replay.Part`.
    """

    url: str = field(repr=False)
    snapshot: str
    after: str | None
    upto: str | None
    files_inside: bool

    @contextmanager
    def open(self) -> Iterator[OpenDatabasePart]:
        """Opens a connection of its own, on the same snapshot. Raises `TransientError`."""
        engine = connect(self.url, pool_size=1)
        try:
            with _snapshot(engine, self.snapshot) as cursor:
                yield OpenDatabasePart(cursor, self.after, self.upto, files_inside=self.files_inside)
        finally:
            engine.dispose()


class DatabaseSnapshot:
    """Reads claims, events, log and checkpoints of one snapshot. Implements `workers.audit.verify.Record`.

    Every method raises `TransientError` when the database is away.
    """

    def __init__(self, cursor: Any, url: str, claims_in_part: int, files_inside: bool) -> None:
        self._cursor, self._url, self._claims_in_part = cursor, url, claims_in_part
        self._files_inside = files_inside
        self.log_size, events = _rows(cursor, _SIZES)[0]
        self.events = int(events or 0)
        self.checkpoints: list[str] = [
            line for (line,) in _rows(cursor, "SELECT line FROM audit_checkpoints ORDER BY size")
        ]

    def parts(self) -> list[DatabasePart]:
        """Splits the record into ranges of so many claims; the last takes what lies beyond all claims too."""
        self._cursor.execute(_STAY)
        [(snapshot,)] = _rows(self._cursor, "SELECT pg_export_snapshot()")
        bounds = [claim_id for (claim_id,) in _rows(self._cursor, _BOUNDS, (self._claims_in_part,))]
        ranges = pairwise([None, *bounds, None])
        return [DatabasePart(self._url, snapshot, after, upto, self._files_inside) for after, upto in ranges]

    def portions(self) -> Iterator[Portion]:
        """Reads the whole record, as `workers.audit.chain_replay.OpenPart` says."""
        return OpenDatabasePart(self._cursor).portions()

    def leaves(self) -> Iterator[bytes]:
        """Reads the log's own leaves, in order of position, whatever positions there are."""
        begin = 0
        while begin < self.log_size:
            [(leaves,)] = _rows(self._cursor, _LEAVES, (begin, begin + _LEAVES_AT_ONCE))
            yield bytes(leaves or b"")
            begin += _LEAVES_AT_ONCE


@contextmanager
def open_snapshot(
    engine: Engine, claims_in_part: int = _CLAIMS_IN_PART, *, files_inside: bool = True
) -> Iterator[DatabaseSnapshot]:
    """Opens the record as it is now; what is written meanwhile is not in it. Raises `TransientError`.

    `files_inside` says whether files of evidence are kept in the database.
    """
    with _snapshot(engine) as cursor:
        url = engine.url.render_as_string(hide_password=False)
        yield DatabaseSnapshot(cursor, url, claims_in_part, files_inside)


@contextmanager
def _snapshot(engine: Engine, name: str | None = None) -> Iterator[Any]:
    """Opens a cursor that sees the database as it is now, or as in the snapshot of this name."""
    with translated_errors(), engine.connect() as connection:
        connection.exec_driver_sql(_BEGIN)
        with closing(connection.connection.cursor()) as cursor:
            if name is not None:
                cursor.execute("SET TRANSACTION SNAPSHOT %s", (name,))
            yield cursor


def _rows(cursor: Any, sql: str, parameters: tuple[Any, ...] | None = None) -> list[Any]:
    cursor.execute(sql, parameters)
    return list(cursor.fetchall())


def _claim(row: str) -> Claim:
    claim: Claim = orjson.loads(row)
    for name in _MOMENTS & claim.keys():
        if claim[name] is not None:
            claim[name] = _spelled(claim[name])
    return claim


@lru_cache(maxsize=4096)
def _spelled(moment: str) -> str:
    """Spells a moment of PostgreSQL in UTC, as `domain.audit.chain.instant` does."""
    digits, _, _ = moment.partition("+")
    return f"{digits[:10]}T{digits[11:19]}.{digits[20:]:0<6}Z"


@lru_cache(maxsize=4096)
def _hashed_moment(moment: bytes) -> bytes:
    return _spelled(moment.decode()).encode()


_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def _record(line: bytes) -> Record:
    """Splits a line of COPY's text format into its fields."""
    fields = line[:-1].split(b"\t")
    if b"\\" in line:
        fields = [_ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), field) for field in fields]
        fields[3] = one_line(fields[3].decode()).encode()
    fields[2] = _hashed_moment(fields[2])
    return fields
