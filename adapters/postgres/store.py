"""The store: reads with locks, and one `record` that writes a whole decision."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Connection, Engine

from adapters.postgres import writes
from adapters.postgres.engine import translated_errors
from domain.claim import Claim, SpotAndCode
from domain.decision import Decision, Step
from domain.delivery import Delivery
from domain.eligibility import CORROBORATING, Case
from domain.intake import Quarantined
from domain.spot import Spot
from domain.usage import UsageRecord

_CLAIM_COLUMNS = (
    "id::text, spot_id, code, claim_type, severity, status, opened_at, first_seen_at, last_seen_at,"
    " resolve_due_at, policy_version, connector_id, zone, affected_user, reservation_id, session_id, filed_by,"
    " cleared_at, closed_at, fault_count, stage, stages, verdict, version, encode(head, 'hex') AS head"
)
_OPEN = "status NOT IN ('rejected', 'resolved')"
_USAGE_COLUMNS = (
    "u.key::text, u.source, u.message_id, u.spot_id, u.session_id, u.connector_id, u.started_at, u.ended_at,"
    ' u.energy_kwh, u.meter_start_kwh, u.meter_stop_kwh, u.reservation_id, u."user", u.stop_reason,'
    " u.findings, u.recorded_at, u.received_at"
)
_SPOT_DETAILS = [field.name for field in fields(Spot) if field.default is None]
# Every registration is kept, and a spot is what they say together: of each detail the latest word, where one that
# says nothing of a detail takes nothing away. So the order in which they came does not matter.
_LATEST_WORD = "(array_agg({0} ORDER BY registered_at DESC, key DESC) FILTER (WHERE {0} IS NOT NULL))[1]"
_SPOTS = ", ".join(
    [
        "SELECT spot_id, max(registered_at) AS registered_at, max(received_at) AS received_at",
        f"{_LATEST_WORD.format('key::text')} AS key",
        *(f"{_LATEST_WORD.format(name)} AS {name}" for name in ("source", "message_id", *_SPOT_DETAILS)),
    ]
)
_DELIVERY_COLUMNS = (
    "id::text, destination, event, title, body, claim_ids::text[], status, attempts, answer, created_at,"
    " finished_at"
)

# For each claim: the records nearest before and after the fault, and the nearest whose findings bear on its code.
_PLACE = "coalesce(r.started_at, r.ended_at, r.recorded_at)"
_OF_SPOT = "SELECT * FROM usage_records r WHERE r.spot_id = w.spot_id AND r.current"
_TELLING = "r.findings <> '{}'::text[] AND r.findings && w.wanted"
_NEAREST = f"""
SELECT w.id, {_USAGE_COLUMNS}
FROM json_to_recordset(%s::json) AS w(id text, spot_id text, moment timestamptz, wanted text[])
CROSS JOIN LATERAL (
    ({_OF_SPOT} AND {_PLACE} <= w.moment ORDER BY {_PLACE} DESC LIMIT 5)
    UNION
    ({_OF_SPOT} AND {_PLACE} > w.moment ORDER BY {_PLACE} LIMIT 5)
    UNION
    ({_OF_SPOT} AND {_TELLING} AND {_PLACE} <= w.moment ORDER BY {_PLACE} DESC LIMIT 3)
    UNION
    ({_OF_SPOT} AND {_TELLING} AND {_PLACE} > w.moment ORDER BY {_PLACE} LIMIT 3)
) u
"""

_key = attrgetter("key")


def _json(rows: Sequence[Any]) -> str:
    return orjson.dumps(rows).decode()


class PostgresTransaction:
    """One transaction. Implements `domain.ports.Transaction`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _execute(self, sql: str, *parameters: Any) -> Any:
        return self._connection.exec_driver_sql(sql, parameters)

    def known_messages(self, keys: Sequence[str]) -> set[str]:
        rows = self._execute(
            "SELECT replace(key::text, '-', '') FROM faults WHERE key = ANY(%s::uuid[])", list(keys)
        )
        return set(rows.scalars())

    def open_claims(self, pairs: Iterable[SpotAndCode]) -> dict[SpotAndCode, Claim]:
        # One look into the index for each pair, and the locks in the order of the pairs.
        spots, codes = zip(*sorted(pairs), strict=True)
        rows = self._execute(
            "SELECT c.* FROM unnest(%s::text[], %s::text[]) AS w(spot_id, code) CROSS JOIN LATERAL ("
            f" SELECT {_CLAIM_COLUMNS} FROM claims WHERE spot_id = w.spot_id AND code = w.code AND {_OPEN}"
            " LIMIT 1 FOR UPDATE) c",
            list(spots),
            list(codes),
        )
        return {(claim.spot_id, claim.code): claim for claim in (Claim(**row) for row in rows.mappings())}

    def claims(self, ids: Sequence[str]) -> list[Claim]:
        rows = self._execute(
            f"SELECT {_CLAIM_COLUMNS} FROM claims WHERE id = ANY(%s::uuid[]) ORDER BY spot_id, code FOR UPDATE",
            list(ids),
        )
        return [Claim(**row) for row in rows.mappings()]

    def cases(self, claims: Sequence[Claim]) -> list[Case]:
        spots = self._spots({claim.spot_id for claim in claims})
        usage: dict[str, list[UsageRecord]] = {}
        wanted = [
            {
                "id": claim.id,
                "spot_id": claim.spot_id,
                "moment": claim.first_seen_at,
                "wanted": CORROBORATING.get(claim.code, ()),
            }
            for claim in claims
        ]
        for row in self._execute(_NEAREST, _json(wanted)).mappings():
            fields = dict(row)
            usage.setdefault(fields.pop("id"), []).append(UsageRecord(**fields))
        return [Case(claim, spots.get(claim.spot_id), usage.get(claim.id, [])) for claim in claims]

    def _spots(self, ids: set[str]) -> dict[str, Spot]:
        rows = self._execute(f"{_SPOTS} FROM spots WHERE spot_id = ANY(%s) GROUP BY spot_id", list(ids))
        return {row["spot_id"]: Spot(**row) for row in rows.mappings()}

    def deliveries(self, ids: Sequence[str]) -> list[Delivery]:
        rows = self._execute(
            f"SELECT {_DELIVERY_COLUMNS} FROM deliveries WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE",
            list(ids),
        )
        return [Delivery(**row) for row in rows.mappings()]

    def take_steps(self, kind: str, ids: Sequence[int]) -> list[Step]:
        rows = self._execute(
            "SELECT id, kind, claim_ids::text[], subject, due_at, attempts FROM steps"
            " WHERE id = ANY(%s) AND kind = %s ORDER BY id FOR UPDATE SKIP LOCKED",
            list(ids),
            kind,
        )
        return [Step(**row) for row in rows.mappings()]

    def record(self, decision: Decision) -> None:
        parts = (
            (writes.INSERT_FAULTS, decision.faults),
            (writes.INSERT_CLAIMS, decision.opened),
            (writes.UPDATE_CLAIMS, decision.changed),
            (writes.INSERT_EVENTS, decision.events),
            (writes.INSERT_DELIVERIES, decision.deliveries),
            (writes.INSERT_STEPS, decision.steps),
        )
        statements = [(sql, _json(rows)) for sql, rows in parts if rows]
        if not statements:
            return
        script = "; ".join(sql for sql, _ in statements)
        if decision.steps:
            script += "; " + writes.WAKE_RELAY
        self._execute(script, *(rows for _, rows in statements))

    def finish_steps(self, ids: Sequence[int]) -> None:
        self._execute("DELETE FROM steps WHERE id = ANY(%s)", list(ids))

    def postpone_step(self, step: Step, due_at: datetime, error: str) -> None:
        self._execute(
            "UPDATE steps SET attempts = attempts + 1, due_at = %s, leased_until = NULL, last_error = %s"
            " WHERE id = %s",
            due_at,
            error,
            step.id,
        )

    def record_usage(self, records: Sequence[UsageRecord]) -> int:
        spots = sorted({record.spot_id for record in records})
        self._execute(writes.TAKE_TURNS, spots)
        new: int = self._execute(writes.INSERT_USAGE, _json(sorted(records, key=_key))).rowcount
        if new:
            self._execute(writes.SETTLE_USAGE, [record.key for record in records])
            self._wake_claims(spots)
        return new

    def register_spots(self, spots: Sequence[Spot]) -> int:
        new: int = self._execute(writes.INSERT_SPOTS, _json(sorted(spots, key=_key))).rowcount
        if new:
            self._wake_claims(sorted({spot.spot_id for spot in spots}))
        return new

    def _wake_claims(self, spots: list[str]) -> None:
        """Owes a new check to the claims of these spots that wait for one."""
        if self._execute(writes.OWE_VERIFICATION, spots).rowcount:
            self._execute(writes.WAKE_RELAY)

    def quarantine(self, items: Sequence[Quarantined]) -> None:
        times = Counter(item.key for item in items)
        once = {item.key: asdict(item) | {"times": times[item.key]} for item in items}
        self._execute(writes.INSERT_QUARANTINE, _json([once[key] for key in sorted(once)]))


class PostgresStore:
    """Implements `domain.ports.Store`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        with translated_errors(), self._engine.begin() as connection:
            yield PostgresTransaction(connection)
