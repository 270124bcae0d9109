"""What people and programs read: claims, their timelines, quarantine, figures. JSON-ready rows."""

import re
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, String, any_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.engine import translated_errors
from adapters.postgres.field.tables import faults, quarantine
from adapters.postgres.ids import FULL_ID, TAIL
from adapters.postgres.tables import audit_events, claims, deliveries, incidents, steps
from domain.field.quarantine import OPEN

Row = dict[str, Any]

_CLAIM: list[ColumnElement[Any]] = [
    column for column in claims.c if column.name not in ("head", "verdict_seq", "evidence_digest")
]
_CLAIM.append(func.encode(claims.c.evidence_digest, "hex").label("evidence_digest"))
# The event that holds the verdict also tells what it did to the clocks.
_CLAIM.append(cast(audit_events.c.body, JSONB).op("-", return_type=JSONB())("clocks").label("verdict"))
# Title and body say what the summary does.
_DELIVERY: list[ColumnElement[Any]] = [
    column for column in deliveries.c if column.name not in ("summary", "tried_at")
]
_WITH_VERDICT = claims.outerjoin(
    audit_events, (audit_events.c.claim_id == claims.c.id) & (audit_events.c.seq == claims.c.verdict_seq)
)
_KEY = re.compile(r"[0-9a-fA-F]{1,32}")


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


class Reports:
    """Implements `domain.ports.queries.Reports`. Raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _rows(self, query: Select[Any]) -> list[Row]:
        with translated_errors(), self._engine.connect() as connection:
            result = connection.execute(query)
            # The column names come as a subclass of str, which the JSON encoder does not take.
            names = ["".join(name) for name in result.keys()]  # noqa: SIM118
            return [dict(zip(names, row, strict=True)) for row in result]

    def list_claims(
        self,
        *,
        status: str | None = None,
        spot_id: str | None = None,
        code: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[Row]:
        query = select(*_CLAIM).select_from(_WITH_VERDICT).order_by(claims.c.id.desc()).limit(limit)
        for column, wanted in ((claims.c.status, status), (claims.c.spot_id, spot_id), (claims.c.code, code)):
            if wanted is not None:
                query = query.where(column == wanted)
        return self._rows(query if before is None else query.where(claims.c.id < before))

    def find_claim(self, claim_id: str) -> Row | None:
        head = func.encode(claims.c.head, "hex").label("head")
        return self._found(select(*_CLAIM, head).select_from(_WITH_VERDICT), claims.c.id, claim_id)

    def _found(self, query: Select[Any], column: ColumnElement[Any], wanted: str) -> Row | None:
        if FULL_ID.fullmatch(wanted):
            found = self._rows(query.where(column == wanted))
        elif TAIL.fullmatch(wanted):
            found = self._rows(query.where(cast(column, String).like("%" + wanted.lower())).limit(2))
        else:
            found = []
        return found[0] if len(found) == 1 else None

    def claim_events(self, claim_id: str) -> list[Row]:
        columns = (
            audit_events.c.claim_id,
            audit_events.c.seq,
            audit_events.c.at,
            audit_events.c.actor,
            audit_events.c.kind,
            audit_events.c.body,
            func.encode(audit_events.c.hash, "hex").label("hash"),
        )
        query = select(*columns).where(audit_events.c.claim_id == claim_id).order_by(audit_events.c.seq)
        return self._rows(query)

    def list_faults(self, keys: list[str]) -> list[Row]:
        query = select(faults).where(faults.c.key.in_(keys)).order_by(faults.c.occurred_at)
        return self._rows(query)

    def list_deliveries(
        self, *, claim_id: str | None = None, status: str | None = None, limit: int = 100
    ) -> list[Row]:
        query = select(*_DELIVERY).order_by(deliveries.c.created_at.desc(), deliveries.c.id).limit(limit)
        if claim_id is not None:
            query = query.where(literal(claim_id, claims.c.id.type) == any_(deliveries.c.claim_ids))
        return self._rows(query if status is None else query.where(deliveries.c.status == status))

    def find_delivery(self, delivery_id: str) -> Row | None:
        """The delivery with this id, or the only one whose id ends with these characters (6 or more)."""
        return self._found(select(*_DELIVERY), deliveries.c.id, delivery_id)

    def list_quarantine(self, *, state: str | None = None, limit: int = 100) -> list[Row]:
        columns = [column for column in quarantine.c if column.name not in ("body", "edited")]
        query = select(*columns).order_by(quarantine.c.last_received_at.desc(), quarantine.c.key).limit(limit)
        return self._rows(query if state is None else query.where(quarantine.c.state == state))

    def find_quarantined(self, key: str) -> Row | None:
        digits = key.replace("-", "")
        if not _KEY.fullmatch(digits):
            return None
        begins_so = quarantine.c.key.between(digits.ljust(32, "0"), digits.ljust(32, "f"))
        found = self._rows(select(quarantine).where(begins_so).limit(2))
        return found[0] if len(found) == 1 else None

    def sla(self) -> list[Row]:
        """For each month (UTC) and claim type: claims closed, how many of them in time, and their share."""
        month = func.to_char(func.timezone("UTC", claims.c.closed_at), "YYYY-MM").label("month")
        # See `Claim.within_sla`.
        in_time = claims.c.resolve_due_at.is_(None) | (claims.c.closed_at <= claims.c.resolve_due_at)
        query = (
            select(month, claims.c.claim_type, func.count().label("closed"), _count(in_time).label("within_sla"))
            .where(claims.c.closed_at.is_not(None))
            .group_by(month, claims.c.claim_type)
            .order_by(month, claims.c.claim_type)
        )
        return [row | {"share": row["within_sla"] / row["closed"]} for row in self._rows(query)]

    def figures(self) -> dict[str, list[tuple[tuple[str, ...], float]]]:
        """The gauges of `adapters.prometheus.DatabaseCollector`; empty when the database is away."""
        active = (
            select(claims.c.status, claims.c.claim_type, func.count())
            .where(claims.c.closed_at.is_(None))
            .group_by(claims.c.status, claims.c.claim_type)
        )
        due = steps.c.due_at <= func.now()
        pending = select(steps.c.kind, func.count()).where(due).group_by(steps.c.kind)
        oldest = select(func.coalesce(func.extract("epoch", func.now() - func.min(steps.c.due_at)), 0)).where(due)
        unsettled = (
            select(quarantine.c.reason, func.count())
            .where(quarantine.c.state == OPEN)
            .group_by(quarantine.c.reason)
        )
        lasting = (
            select(incidents.c.code, func.count())
            .where(incidents.c.closed_at.is_(None))
            .group_by(incidents.c.code)
        )
        with translated_errors(), self._engine.connect() as connection:
            return {
                "incidents_open": [((code,), n) for code, n in connection.execute(lasting)],
                "quarantine_open": [((reason,), n) for reason, n in connection.execute(unsettled)],
                "claims_active": [((status, kind), n) for status, kind, n in connection.execute(active)],
                "steps_pending": [((kind,), n) for kind, n in connection.execute(pending)],
                "steps_oldest_seconds": [((), float(connection.execute(oldest).scalar_one()))],
            }
