"""The floor of intake: the same rows out of the same queue, written as fast as Python can, and nothing else.

    python -m tests.benchmarks.intake.floor new_spots|repeats

It is a bare pika consumer with a large prefetch; orjson; for every 500 messages one
round trip that is one transaction, with the very statements of `adapters/postgres` into the same tables;
one multiple acknowledgement. While PostgreSQL writes one batch, the next is read and prepared.

What it does not do: validate, look for duplicates, find open claims, decide anything, chain hashes, confirm a
hand-over, retry, count metrics. It knows whether claims are new (it inserts them) or repeat (it upserts one for
each spot in the batch).
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from typing import Any

import orjson
import pika
import psycopg2

from adapters.postgres.audit.events import INSERT_EVENTS
from adapters.postgres.claims.claims import INSERT_OPENED
from adapters.postgres.field.faults import INSERT_FAULTS
from adapters.postgres.steps.steps import INSERT_STEPS
from adapters.rabbitmq import connection as rabbitmq
from domain.identifiers import new_claim_id

_QUEUE = "spotclaim.faults"
_BATCH = 500
_PREFETCH = 4 * _BATCH
_IDLE_SECONDS = 0.02

INSERT = "; ".join(write.sql for write in (INSERT_FAULTS, INSERT_OPENED, INSERT_EVENTS, INSERT_STEPS))
# Which claim a fault belongs to is known once its claim was upserted, since another process may have opened it.
_JOIN_CLAIM = "JOIN claim ON claim.spot_id = r->>4 AND claim.code = r->>6"
UPSERT = f"""
WITH claim AS (
    {INSERT_OPENED.sql} ON CONFLICT (spot_id, code) WHERE closed_at IS NULL DO UPDATE SET
        fault_count = claims.fault_count + excluded.fault_count, last_seen_at = excluded.last_seen_at,
        version = claims.version + 1, head = excluded.head
    RETURNING id, spot_id, code, version
), step AS (
    INSERT INTO steps (kind, subject_ids, due_at)
    SELECT 'verify', array_agg(id), now() FROM claim WHERE version = 1 HAVING count(*) > 0
), event AS (
    INSERT INTO audit_events (subject_id, seq, at, actor, kind, body, hash)
    SELECT claim.id, claim.version, (r->>2)::timestamptz, r->>3, r->>4, r->>5, decode(r->>6, 'hex')
    FROM jsonb_array_elements(%s::jsonb) AS r JOIN claim ON claim.spot_id = r->>0 AND claim.code = r->>1
)
{INSERT_FAULTS.sql.replace("(r->>3)::uuid,", "claim.id,")} {_JOIN_CLAIM}
"""

# Code, claim type, severity. Written out so that nothing has to be looked up.
_CODES = {
    "ConnectorLockFailure": ("CONNECTOR_LOCK_FAILURE", "allocation_failure", "high"),
    "PowerMeterFailure": ("METER_UNREADABLE", "usage_discrepancy", "high"),
    "EVSE_OCCUPIED": ("SPOT_OCCUPIED", "allocation_failure", "low"),
}

Rows = tuple[list[Any], ...]


class Floor:
    """Consumes, writes, acknowledges."""

    def __init__(self, database_url: str, amqp_url: str, repeats: bool) -> None:
        self._database = psycopg2.connect(database_url.replace("+psycopg2", "", 1))
        self._database.autocommit = True  # several statements sent at once are one transaction
        self._connection = pika.BlockingConnection(rabbitmq.parameters(amqp_url))
        self._channel = self._connection.channel()
        self._sql = UPSERT if repeats else INSERT
        self._rows: Callable[[list[bytes]], Rows] = repeated_rows if repeats else new_rows
        self._bodies: list[bytes] = []
        self._tag = 0
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
        self._written_tag = 0

    def run(self) -> None:
        """Until it is killed."""
        self._channel.basic_qos(prefetch_count=_PREFETCH)
        self._channel.basic_consume(_QUEUE, self._receive)
        print("consuming", flush=True)
        while True:
            before = len(self._bodies)
            self._connection.process_data_events(time_limit=_IDLE_SECONDS)
            idle = len(self._bodies) == before
            while len(self._bodies) >= _BATCH or (idle and self._bodies):
                bodies, self._bodies = self._bodies[:_BATCH], self._bodies[_BATCH:]
                self._write(bodies)
            if idle:
                self._finish()

    def _receive(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        self._bodies.append(body)
        self._tag = method.delivery_tag

    def _write(self, bodies: list[bytes]) -> None:
        parameters = spelled(self._rows(bodies))
        self._finish()
        self._written_tag = self._tag - len(self._bodies)
        self._writing = self._writer.submit(self._execute, parameters)

    def _execute(self, parameters: list[str]) -> None:
        with self._database.cursor() as cursor:
            cursor.execute(self._sql, parameters)

    def _finish(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._channel.basic_ack(self._written_tag, multiple=True)
            self._writing = None


def spelled(rows: Rows) -> list[str]:
    """The parameters of `INSERT` and `UPSERT`."""
    return [orjson.dumps(part).decode() for part in rows]


def new_rows(bodies: list[bytes]) -> Rows:
    """Every fault opens a claim."""
    now = datetime.now(UTC)
    faults, claims, events, ids = [], [], [], []
    for body in bodies:
        event = orjson.loads(body)
        data, claim_id = event["data"], new_claim_id()
        code = _CODES[data["error"]["code"]]
        key = blake2b(body, digest_size=16).hexdigest()
        faults.append(_fault(event, data, key, claim_id, code[0], now))
        text = _body(data, code, now, f'["{key}"]', 1)
        digest = sha256(text.encode()).hexdigest()
        claims.append(_claim(data, claim_id, code, now, 1, digest))
        events.append((claim_id, 1, now, event["source"], "claim.opened", text, digest))
        ids.append(claim_id)
    return faults, claims, events, [("verify", "claim", ids, {}, None, 0)]


def repeated_rows(bodies: list[bytes]) -> Rows:
    """Faults of one spot share a claim."""
    now = datetime.now(UTC)
    faults: list[tuple[Any, ...]] = []
    groups: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for body in bodies:
        event = orjson.loads(body)
        data = event["data"]
        key = blake2b(body, digest_size=16).hexdigest()
        faults.append(_fault(event, data, key, None, _CODES[data["error"]["code"]][0], now))
        groups.setdefault(data["spot_id"], (event, []))[1].append(key)
    claims, events = [], []
    for spot_id in sorted(
        groups
    ):  # in one order, so that two processes would never wait for each other in a circle
        event, keys = groups[spot_id]
        data = event["data"]
        code = _CODES[data["error"]["code"]]
        text = _body(data, code, now, orjson.dumps(keys).decode(), len(keys))
        digest = sha256(text.encode()).hexdigest()
        claims.append(_claim(data, new_claim_id(), code, now, len(keys), digest))
        events.append((spot_id, code[0], now, event["source"], "claim.opened", text, digest))
    return claims, events, faults


def _fault(
    event: dict[str, Any], data: dict[str, Any], key: str, claim_id: str | None, code: str, now: datetime
) -> tuple[Any, ...]:
    """In the order of `INSERT_FAULTS.columns`."""
    error = data["error"]
    return (
        key,
        event["source"],
        event["id"],
        claim_id,
        data["spot_id"],
        data["connector_id"],
        code,
        error["taxonomy"],
        error["code"],
        error["info"],
        False,
        data["occurred_at"],
        now,
        "stated",
        None,
        data["zone"],
        data["affected_user"],
        data["reservation_id"],
        data["session_id"],
        data["description"],
        None,
        data["evidence"],
        *(None, [], None),
    )


# What every claim says, by column, and where in a row what differs has its place.
_SAME = {"status": "submitted", "policy_version": "2026-11-22", "version": 1, "also_filed_by": []}
_CLAIM: list[Any] = [_SAME.get(name) for name in INSERT_OPENED.columns]
_DIFFERS = """
    id spot_id code claim_type severity opened_at connector_id zone affected_user reservation_id session_id
    first_seen_at last_seen_at fault_count head
""".split()  # noqa: SIM905
_PLACES = [INSERT_OPENED.columns.index(name) for name in _DIFFERS]


def _claim(
    data: dict[str, Any], claim_id: str, code: tuple[str, str, str], now: datetime, count: int, head: str
) -> list[Any]:
    row = _CLAIM.copy()
    seen = data["occurred_at"]
    said = data["connector_id"], data["zone"], data["affected_user"], data["reservation_id"], data["session_id"]
    for place, value in zip(
        _PLACES, (claim_id, data["spot_id"], *code, now, *said, seen, seen, count, head), strict=True
    ):
        row[place] = value
    return row


def _body(data: dict[str, Any], code: tuple[str, str, str], now: datetime, keys: str, count: int) -> str:
    """As long as the body of `claim.opened`."""
    return (
        f'{{"cleared_at":null,"code":"{code[0]}","connector_id":{data["connector_id"]},"fault_count":{count},'
        f'"faults":{keys},"first_seen_at":"{data["occurred_at"]}","last_seen_at":"{data["occurred_at"]}",'
        f'"policy":"2026-11-22","severity":"{code[2]}",'
        f'"spot_id":"{data["spot_id"]}"}}'
    )


if __name__ == "__main__":
    Floor(os.environ["SPOTCLAIM_DATABASE_URL"], os.environ["SPOTCLAIM_AMQP_URL"], sys.argv[1] == "repeats").run()
