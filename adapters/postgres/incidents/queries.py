"""Reads incidents for people and programs."""

from typing import Any

from sqlalchemy import ColumnElement, func, select

from adapters.postgres.claims.claims import claims
from adapters.postgres.incidents.incidents import incident_claims, incidents
from adapters.postgres.queries import DatabaseQueries, Row

_INCIDENT: list[ColumnElement[Any]] = [column for column in incidents.c if column.name != "head"]
_SHOWN = (
    "id",
    "number",
    "spot_id",
    "code",
    "zone",
    "severity",
    "status",
    "fault_count",
    "first_seen_at",
    "last_seen_at",
)


class IncidentReports(DatabaseQueries):
    """Implements `domain.ports.queries.IncidentReports`. Raises `TransientError` when the database is away."""

    def listed(
        self, *, status: str | None = None, code: str | None = None, before: str | None = None, limit: int = 100
    ) -> list[Row]:
        query = select(*_INCIDENT).order_by(incidents.c.id.desc()).limit(limit)
        for column, wanted in ((incidents.c.status, status), (incidents.c.code, code)):
            if wanted is not None:
                query = query.where(column == wanted)
        return self._rows(query if before is None else query.where(incidents.c.id < before))

    def find(self, incident_id: str) -> Row | None:
        head = func.encode(incidents.c.head, "hex").label("head")
        return self._found(select(*_INCIDENT, head), incidents.c.id, incident_id)

    def claims_of(self, incident_id: str, limit: int = 1000) -> list[Row]:
        linked = incident_claims.join(claims, claims.c.id == incident_claims.c.claim_id)
        query = select(*(claims.c[name] for name in _SHOWN)).select_from(linked)
        of_incident = incident_claims.c.incident_id == incident_id
        return self._rows(query.where(of_incident).order_by(claims.c.first_seen_at, claims.c.id).limit(limit))

    def of_claim(self, claim_id: str) -> Row | None:
        linked = incident_claims.join(incidents, incidents.c.id == incident_claims.c.incident_id)
        query = select(*_INCIDENT).select_from(linked).where(incident_claims.c.claim_id == claim_id)
        return next(iter(self._rows(query)), None)
