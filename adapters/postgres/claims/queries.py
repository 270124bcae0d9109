"""Reads claims for people and programs, and gathers what they read of other subjects."""

from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.postgres.audit.events import EventQueries, audit_events
from adapters.postgres.claims.claims import claims
from adapters.postgres.engine import translated_errors
from adapters.postgres.field.faults import FaultQueries
from adapters.postgres.field.quarantine import QuarantineQueries, quarantine
from adapters.postgres.incidents.incidents import incidents
from adapters.postgres.notifications.deliveries import DeliveryQueries
from adapters.postgres.queries import Row
from adapters.postgres.steps.steps import steps
from domain.claims.events import SPOT_DETAILS
from domain.claims.number import as_number
from domain.field.quarantine import OPEN

_CLAIM: list[ColumnElement[Any]] = [
    column for column in claims.c if column.name not in ("head", "verdict_seq", "evidence_digest")
]
_CLAIM.append(func.encode(claims.c.evidence_digest, "hex").label("evidence_digest"))
# The event that holds the verdict also states what it did to the clocks, what it found registered, and who filed.
_BESIDE_THE_VERDICT = cast(["clocks", "also_filed_by", "faults_digest", *SPOT_DETAILS], ARRAY(Text))
_CLAIM.append(cast(audit_events.c.body, JSONB).op("-", return_type=JSONB())(_BESIDE_THE_VERDICT).label("verdict"))
_WITH_VERDICT = claims.outerjoin(
    audit_events, (audit_events.c.subject_id == claims.c.id) & (audit_events.c.seq == claims.c.verdict_seq)
)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


class Reports(FaultQueries, QuarantineQueries, EventQueries, DeliveryQueries):
    """Implements `domain.ports.queries.Reports`. Raises `TransientError` when the database is away."""

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
        query = select(*_CLAIM, head).select_from(_WITH_VERDICT)
        if number := as_number(claim_id):
            return next(iter(self._rows(query.where(claims.c.number == number))), None)
        return self._found(query, claims.c.id, claim_id)

    def sla(self) -> list[Row]:
        """Counts for each month (UTC) and claim type: claims closed, how many of them in time, and their share."""
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
        """Reads the gauges of `adapters.prometheus.DatabaseCollector`; empty when the database is away."""
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
