"""The HTTP door to incidents: what is going on, and what people do about it."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from domain.claims.claim import Claim
from domain.claims.decide import Refused
from domain.errors import NotFound
from domain.incidents.incident import STATUSES
from domain.ports.queries import IncidentReports
from domain.ports.store import Identity
from ingest.api.decisions import told
from ingest.api.fields import Note, Reason, one_of

_Status = Annotated[
    str | None, AfterValidator(one_of("status", STATUSES)), Query(json_schema_extra={"enum": list(STATUSES)})
]
_Code = Annotated[str | None, Query(max_length=256)]


class IncidentDesk(Protocol):
    """See `workers.services.incidents.IncidentDesk`."""

    def acknowledge(self, incident_id: str, who: Identity, note: str) -> None: ...

    def close(self, incident_id: str, who: Identity, note: str) -> None: ...

    def merge(self, incident_id: str, into_id: str, who: Identity, note: str) -> None: ...

    def split(self, incident_id: str, claim_ids: Sequence[str], who: Identity, note: str) -> str: ...

    def state_cause(self, incident_id: str, who: Identity, cause: str) -> None: ...

    def decide(self, incident_id: str, action: str, who: Identity, note: str) -> list[Claim | Refused]: ...


class _Body(BaseModel):
    """A misspelt field would be a demand that nobody heard."""

    model_config = ConfigDict(extra="forbid")


class Acknowledgement(_Body):
    """Who sees to it, in a few words."""

    note: Note = ""


class Closing(_Body):
    """Why it is closed before it is quiet."""

    note: Reason


class Merging(_Body):
    """The incident that takes over its claims."""

    into: UUID
    note: Note = ""


class Splitting(_Body):
    """The claims that become an incident of their own, and why."""

    claims: Annotated[list[UUID], Field(min_length=1, max_length=1000)]
    note: Reason


class Cause(_Body):
    """What was behind it."""

    root_cause: Reason


class IncidentDecision(_Body):
    """One decision on all its claims. Each is looked at again, and each is reported; a rejection takes a note."""

    decision: Literal["acknowledge", "approve", "reject", "resolve"]
    note: Note = ""


def router(desk: IncidentDesk, reports: IncidentReports, identity: Callable[..., Identity]) -> APIRouter:
    """The routes. An incident is named by its id or the end of it."""
    routes = APIRouter(prefix="/api/v1/incidents")
    reader = [Depends(identity)]
    asking = Annotated[Identity, Depends(identity)]

    @routes.get("", dependencies=reader, summary="Incidents, newest first")
    def listed(
        status: _Status = None,
        code: _Code = None,
        before: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        rows = reports.listed(status=status, code=code, before=str(before) if before else None, limit=limit)
        return {"incidents": rows, "next_before": rows[-1]["id"] if len(rows) == limit else None}

    @routes.get("/{incident_id}", dependencies=reader, summary="One incident with its claims")
    def show(incident_id: str) -> dict[str, Any]:
        row = found(reports, incident_id)
        return row | {"claims": reports.claims_of(row["id"])}

    @routes.post("/{incident_id}/acknowledgement", summary="See to an incident: it is not told again")
    def acknowledgement(incident_id: str, body: Acknowledgement, who: asking) -> dict[str, Any]:
        desk.acknowledge(found(reports, incident_id)["id"], who, body.note)
        return found(reports, incident_id)

    @routes.post("/{incident_id}/closing", summary="Close an incident before it is quiet")
    def closing(incident_id: str, body: Closing, who: asking) -> dict[str, Any]:
        desk.close(found(reports, incident_id)["id"], who, body.note)
        return found(reports, incident_id)

    @routes.post("/{incident_id}/merging", summary="Make its claims another incident's")
    def merging(incident_id: str, body: Merging, who: asking) -> dict[str, Any]:
        desk.merge(found(reports, incident_id)["id"], str(body.into), who, body.note)
        return found(reports, str(body.into))

    @routes.post("/{incident_id}/splitting", status_code=201, summary="Make some claims an incident of their own")
    def splitting(incident_id: str, body: Splitting, who: asking) -> dict[str, Any]:
        claims = [str(claim) for claim in body.claims]
        return found(reports, desk.split(found(reports, incident_id)["id"], claims, who, body.note))

    @routes.post("/{incident_id}/root-cause", summary="Say what was behind an incident")
    def root_cause(incident_id: str, body: Cause, who: asking) -> dict[str, Any]:
        desk.state_cause(found(reports, incident_id)["id"], who, body.root_cause)
        return found(reports, incident_id)

    @routes.post("/{incident_id}/decisions", summary="Decide all claims of an incident; each is reported")
    def decisions(incident_id: str, body: IncidentDecision, who: asking) -> dict[str, Any]:
        results = desk.decide(found(reports, incident_id)["id"], body.decision, who, body.note)
        return {"items": [told(result) for result in results]}

    return routes


def found(reports: IncidentReports, incident_id: str) -> dict[str, Any]:
    """The incident with this id, or the only one whose id ends so. Raises `NotFound`."""
    row = reports.find(incident_id)
    if row is None:
        raise NotFound(f"No incident ends with {incident_id}, or more than one does.")
    return row
