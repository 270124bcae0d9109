"""Routes for incidents: listing, acknowledging, closing, merging, splitting and deciding."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, Field

from domain.claims.claim import Claim
from domain.claims.decide import Refused
from domain.errors import NotFound
from domain.incidents.incident import STATUSES
from domain.ports.queries import IncidentReports
from domain.ports.store import Identity
from ingest.api.decisions import result_json
from ingest.api.fields import Note, Reason, RejectionCode, one_of
from ingest.api.request_checks import StrictBody

_Status = Annotated[
    str | None, AfterValidator(one_of("status", STATUSES)), Query(json_schema_extra={"enum": list(STATUSES)})
]
_Code = Annotated[str | None, Query(max_length=256)]


class IncidentService(Protocol):
    """See `workers.services.incidents.IncidentService`."""

    def acknowledge(self, incident_id: str, who: Identity, note: str) -> None: ...

    def close(self, incident_id: str, who: Identity, note: str) -> None: ...

    def merge(self, incident_id: str, into_id: str, who: Identity, note: str) -> None: ...

    def split(self, incident_id: str, claim_ids: Sequence[str], who: Identity, note: str) -> str: ...

    def state_cause(self, incident_id: str, who: Identity, cause: str) -> None: ...

    def decide(
        self, incident_id: str, action: str, who: Identity, note: str, reason: str = ""
    ) -> list[Claim | Refused]: ...


class Acknowledgement(StrictBody):
    """A note on who is working on the incident."""

    note: Note = ""


class Closing(StrictBody):
    """The reason why it is closed early."""

    note: Reason


class Merging(StrictBody):
    """The incident that receives its claims."""

    into: UUID
    note: Note = ""


class Splitting(StrictBody):
    """The claims that become a separate incident, and why."""

    claims: Annotated[list[UUID], Field(min_length=1, max_length=1000)]
    note: Reason


class Cause(StrictBody):
    """The root cause."""

    root_cause: Reason


class IncidentDecision(StrictBody):
    """One decision on all its claims. Each is checked and reported separately; of rejections see `Decision`."""

    decision: Literal["acknowledge", "approve", "reject", "resolve"]
    reason: RejectionCode = ""
    note: Note = ""


def router(desk: IncidentService, reports: IncidentReports, identity: Callable[..., Identity]) -> APIRouter:
    """Creates the routes. An incident is named by its id or the end of it."""
    routes = APIRouter(prefix="/api/v1/incidents")
    reader = [Depends(identity)]
    asking = Annotated[Identity, Depends(identity)]

    @routes.get("", dependencies=reader, summary="List incidents, newest first")
    def listed(
        status: _Status = None,
        code: _Code = None,
        before: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        rows = reports.listed(status=status, code=code, before=str(before) if before else None, limit=limit)
        return {"incidents": rows, "next_before": rows[-1]["id"] if len(rows) == limit else None}

    @routes.get("/{incident_id}", dependencies=reader, summary="Get one incident with its claims")
    def show(incident_id: str) -> dict[str, Any]:
        row = found(reports, incident_id)
        return row | {"claims": reports.claims_of(row["id"])}

    @routes.post("/{incident_id}/acknowledgement", summary="Acknowledge an incident, which stops its reminders")
    def acknowledgement(incident_id: str, body: Acknowledgement, who: asking) -> dict[str, Any]:
        desk.acknowledge(found(reports, incident_id)["id"], who, body.note)
        return found(reports, incident_id)

    @routes.post("/{incident_id}/closing", summary="Close an incident before it is quiet")
    def closing(incident_id: str, body: Closing, who: asking) -> dict[str, Any]:
        desk.close(found(reports, incident_id)["id"], who, body.note)
        return found(reports, incident_id)

    @routes.post("/{incident_id}/merging", summary="Merge an incident into another")
    def merging(incident_id: str, body: Merging, who: asking) -> dict[str, Any]:
        desk.merge(found(reports, incident_id)["id"], str(body.into), who, body.note)
        return found(reports, str(body.into))

    @routes.post("/{incident_id}/splitting", status_code=201, summary="Split some claims off as a new incident")
    def splitting(incident_id: str, body: Splitting, who: asking) -> dict[str, Any]:
        claims = [str(claim) for claim in body.claims]
        return found(reports, desk.split(found(reports, incident_id)["id"], claims, who, body.note))

    @routes.post("/{incident_id}/root-cause", summary="State the root cause of an incident")
    def root_cause(incident_id: str, body: Cause, who: asking) -> dict[str, Any]:
        desk.state_cause(found(reports, incident_id)["id"], who, body.root_cause)
        return found(reports, incident_id)

    @routes.post(
        "/{incident_id}/decisions", summary="Decide all claims of an incident; each is reported separately"
    )
    def decisions(incident_id: str, body: IncidentDecision, who: asking) -> dict[str, Any]:
        results = desk.decide(found(reports, incident_id)["id"], body.decision, who, body.note, body.reason)
        return {"items": [result_json(result) for result in results]}

    return routes


def found(reports: IncidentReports, incident_id: str) -> dict[str, Any]:
    """Returns the incident with this id, or the only one whose id ends so. Raises `NotFound`."""
    row = reports.find(incident_id)
    if row is None:
        raise NotFound(f"No incident ends with {incident_id}, or more than one does.")
    return row
