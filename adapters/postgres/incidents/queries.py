"""Incidents as people and programs read them. JSON-ready rows."""

from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, String, cast, func, select

from adapters.postgres.engine import translated_errors
from adapters.postgres.ids import FULL_ID, TAIL
from adapters.postgres.tables import claims, incident_claims, incidents

Row = dict[str, Any]

_INCIDENT: list[ColumnElement[Any]] = [column for column in incidents.c if column.name != "head"]
_SHOWN = ("id", "spot_id", "code", "zone", "severity", "status", "fault_count", "first_seen_at", "last_seen_at")


class IncidentReports:
    """Implements `domain.ports.queries.IncidentReports`. Raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _rows(self, query: Select[Any]) -> list[Row]:
        with translated_errors(), self._engine.connect() as connection:
            return [
                {str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()
            ]

    def listed(
        self, *, status: str | None = None, code: str | None = None, before: str | None = None, limit: int = 100
    ) -> list[Row]:
        query = select(*_INCIDENT).order_by(incidents.c.id.desc()).limit(limit)
        for column, wanted in ((incidents.c.status, status), (incidents.c.code, code)):
            if wanted is not None:
                query = query.where(column == wanted)
        return self._rows(query if before is None else query.where(incidents.c.id < before))

    def find(self, incident_id: str) -> Row | None:
        query = select(*_INCIDENT, func.encode(incidents.c.head, "hex").label("head")).limit(2)
        if FULL_ID.fullmatch(incident_id):
            found = self._rows(query.where(incidents.c.id == incident_id))
        elif TAIL.fullmatch(incident_id):
            found = self._rows(query.where(cast(incidents.c.id, String).like("%" + incident_id.lower())))
        else:
            found = []
        return found[0] if len(found) == 1 else None

    def claims_of(self, incident_id: str, limit: int = 1000) -> list[Row]:
        linked = incident_claims.join(claims, claims.c.id == incident_claims.c.claim_id)
        query = select(*(claims.c[name] for name in _SHOWN)).select_from(linked)
        of_incident = incident_claims.c.incident_id == incident_id
        return self._rows(query.where(of_incident).order_by(claims.c.first_seen_at, claims.c.id).limit(limit))

    def of_claim(self, claim_id: str) -> Row | None:
        linked = incident_claims.join(incidents, incidents.c.id == incident_claims.c.incident_id)
        query = select(*_INCIDENT).select_from(linked).where(incident_claims.c.claim_id == claim_id)
        return next(iter(self._rows(query)), None)
