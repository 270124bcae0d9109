"""The HTTP door: `/api/v1` for programs, pages for people, and what Prometheus and probes ask for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from threading import BoundedSemaphore
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from pydantic import AfterValidator

from domain.audit.chain import AuditEvent, first_broken, instant
from domain.claims.lifecycle import STATUSES
from domain.errors import NotFound
from domain.ports.queries import IncidentReports, Reports
from domain.ports.store import Authenticate, BindKey, Clock, Delegations, EvidenceDesk, HandOver, Identity
from ingest.api import decisions as decisions_api
from ingest.api import deliveries as deliveries_api
from ingest.api import destinations as destinations_api
from ingest.api import incidents as incidents_api
from ingest.api import messages_routes as intake_api
from ingest.api import openapi, problems
from ingest.api import quarantine as quarantine_api
from ingest.api import silences as silences_api
from ingest.api.evidence import add_evidence
from ingest.api.fields import STORABLE, one_of
from ingest.api.parameters import demand_known_parameters
from ingest.console import routes as pages

_bearer = HTTPBearer(auto_error=False, description="An API token.")
_basic = HTTPBasic(auto_error=False)
_Filter = Annotated[str | None, Query(min_length=1, max_length=256, pattern=STORABLE)]
_Status = Annotated[
    str | None,
    AfterValidator(lambda word: None if word is None else one_of("status", STATUSES)(word)),
    Query(json_schema_extra={"enum": list(STATUSES)}),
]
_MOST_STREAMS = 8


class EventStreamResponse(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Inside:
    """What the door needs of the inside. `clocks` tells those of a claim's row; `problems` lists why intake does
    not work, and is empty when it does."""

    hand_over: HandOver
    reports: Reports
    decide: decisions_api.Decide
    delegations: Delegations
    evidence: EvidenceDesk
    quarantine: quarantine_api.QuarantineDesk
    incidents: incidents_api.IncidentDesk
    incident_reports: IncidentReports
    resend: deliveries_api.Resend
    silences: silences_api.Silences
    destinations: destinations_api.DestinationDesk
    clocks: Callable[[dict[str, Any]], list[dict[str, Any]]]
    authenticate: Authenticate
    bind_key: BindKey
    clock: Clock
    problems: Callable[[], list[str]]
    metrics: Callable[[], bytes]
    follow: Callable[[float], Iterator[dict[str, Any] | None]]
    host: str


def create_app(inside: Inside) -> FastAPI:
    """The application. Raises nothing; everything that fails later answers as a problem document."""
    app = FastAPI(title="Spotclaim", version="1", docs_url=None, redoc_url=None, responses=openapi.PROBLEMS)
    problems.install(app)
    openapi.install(app)
    _add_probes(app, inside)
    _add_pages(app, inside)
    routes = APIRouter(dependencies=[Depends(demand_known_parameters)])
    routes.include_router(intake_api.router(inside.hand_over, inside.bind_key, _identity(inside), inside.clock))
    _add_claims(routes, inside)
    add_evidence(routes, inside.evidence, lambda claim_id: _found(inside.reports, claim_id), _identity(inside))
    app.include_router(routes)
    return app


def _identity(inside: Inside) -> Callable[..., Identity]:
    def demand(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Identity:
        identity = inside.authenticate(credentials.credentials) if credentials else None
        if identity is None:
            raise HTTPException(401, "Send an API token: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})
        return identity

    return demand


def _add_probes(app: FastAPI, inside: Inside) -> None:
    @app.get("/healthz", summary="Whether the process answers")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="Whether intake works", responses={503: openapi.OBJECT})
    def readyz() -> JSONResponse:
        found = inside.problems()
        return JSONResponse({"status": "unready" if found else "ready", "problems": found}, 503 if found else 200)

    @app.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        return Response(inside.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_pages(app: FastAPI, inside: Inside) -> None:
    def may_look(basic: Annotated[HTTPBasicCredentials | None, Depends(_basic)]) -> None:
        # On a loopback address only this machine can look; anywhere else an API token is the password.
        if not _is_loopback(inside.host) and not (basic and inside.authenticate(basic.password)):
            raise HTTPException(401, "Give an API token as the password.", {"WWW-Authenticate": "Basic"})

    shown = pages.router(inside.reports, inside.incident_reports, inside.clock)
    app.include_router(shown, dependencies=[Depends(may_look)])


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _found(reports: Reports, claim_id: str) -> dict[str, Any]:
    claim = reports.find_claim(claim_id)
    if claim is None:
        raise NotFound(f"There is no claim {claim_id}.")
    return claim


def _add_claims(routes: APIRouter, inside: Inside) -> None:
    reports, demand = inside.reports, _identity(inside)
    reader = [Depends(demand)]
    limit_query = Annotated[int, Query(ge=1, le=1000)]

    def found(claim_id: str) -> dict[str, Any]:
        claim = _found(reports, claim_id)
        return claim | {"clocks": inside.clocks(claim)}

    @routes.get("/api/v1/claims", dependencies=reader, summary="Claims, newest first")
    def claims(
        status: _Status = None,
        spot_id: _Filter = None,
        code: _Filter = None,
        before: UUID | None = None,
        limit: limit_query = 100,
    ) -> dict[str, Any]:
        page = str(before) if before else None
        rows = reports.list_claims(status=status, spot_id=spot_id, code=code, before=page, limit=limit)
        return {"claims": rows, "next_before": rows[-1]["id"] if len(rows) == limit else None}

    @routes.get("/api/v1/claims/{claim_id}", dependencies=reader, summary="One claim")
    def claim(claim_id: str) -> dict[str, Any]:
        return found(claim_id)

    @routes.get("/api/v1/claims/{claim_id}/events", dependencies=reader, summary="A claim's audit events")
    def events(claim_id: str) -> dict[str, Any]:
        rows = reports.claim_events(found(claim_id)["id"])
        chain = [AuditEvent(**(row | {"at": instant(row["at"])})) for row in rows]
        return {"events": rows, "intact": first_broken(chain) is None}

    routes.include_router(decisions_api.router(inside.decide, inside.delegations, demand, found, inside.clock))

    routes.include_router(deliveries_api.router(inside.resend, reports, demand, found))
    routes.include_router(silences_api.router(inside.silences, inside.destinations, demand, inside.clock))
    routes.include_router(destinations_api.router(inside.destinations, demand))
    routes.include_router(quarantine_api.router(inside.quarantine, reports, demand))
    routes.include_router(incidents_api.router(inside.incidents, inside.incident_reports, demand))

    # A stream holds a thread; the rest must keep enough of them.
    seats = BoundedSemaphore(_MOST_STREAMS)

    @routes.get(
        "/api/v1/stream",
        dependencies=reader,
        summary="What happens, as server-sent events",
        response_class=EventStreamResponse,
    )
    def stream() -> StreamingResponse:
        if not seats.acquire(blocking=False):
            raise HTTPException(503, f"There are {_MOST_STREAMS} streams open already.")
        return EventStreamResponse(_server_sent(inside.follow(5.0), seats))


def _server_sent(entries: Iterator[dict[str, Any] | None], seats: BoundedSemaphore) -> Iterator[bytes]:
    try:
        for entry in entries:
            # A comment now and then keeps proxies from closing a quiet stream.
            yield b": quiet\n\n" if entry is None else b"data: " + orjson.dumps(entry) + b"\n\n"
    finally:
        seats.release()
