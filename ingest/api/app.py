"""The HTTP application: `/api/v1`, the console's pages, probes and metrics."""

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

from domain.audit.chain import AuditEvent, first_broken
from domain.claims.lifecycle import STATUSES
from domain.errors import NotFound
from domain.ports.queries import IncidentReports, Reports
from domain.ports.store import Authenticate, BindKey, Clock, Delegations, DeliverBatch, EvidenceService, Identity
from ingest.api import (
    administration,
    decisions,
    deliveries,
    destinations,
    incidents,
    messages_routes,
    openapi,
    problems,
    quarantine,
    silences,
)
from ingest.api.decisions import Corrections, Decide
from ingest.api.deliveries import Resend
from ingest.api.destinations import DestinationService
from ingest.api.evidence import add_evidence
from ingest.api.fields import STORABLE, one_of
from ingest.api.incidents import IncidentService
from ingest.api.quarantine import QuarantineService
from ingest.api.request_checks import demand_known_parameters
from ingest.api.silences import Silences
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
    """Streams server-sent events."""

    media_type = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Inside:
    """Collects the ports and services that the HTTP application calls.

    `clocks` returns the SLA clocks of a claim's row; `problems` lists why intake does not work, and is empty when
    it does.
    """

    deliver_batch: DeliverBatch
    reports: Reports
    decide: Decide
    corrections: Corrections
    delegations: Delegations
    evidence: EvidenceService
    quarantine: QuarantineService
    incidents: IncidentService
    incident_reports: IncidentReports
    resend: Resend
    silences: Silences
    destinations: DestinationService
    clocks: Callable[[dict[str, Any]], list[dict[str, Any]]]
    authenticate: Authenticate
    bind_key: BindKey
    clock: Clock
    problems: Callable[[], list[str]]
    metrics: Callable[[], bytes]
    follow: Callable[[float], Iterator[dict[str, Any] | None]]
    host: str


def create_app(inside: Inside) -> FastAPI:
    """Creates the application. Raises nothing; later errors are answered as problem documents."""
    app = FastAPI(title="Spotclaim", version="1", docs_url=None, redoc_url=None, responses=openapi.PROBLEMS)
    problems.install(app)
    openapi.install(app)
    _add_probes(app, inside)
    _add_pages(app, inside)
    routes = APIRouter(dependencies=[Depends(demand_known_parameters)])
    routes.include_router(
        messages_routes.router(inside.deliver_batch, inside.bind_key, _identity(inside), inside.clock)
    )
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
    @app.get("/healthz", summary="Check that the process answers")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="Check that intake works", responses={503: openapi.OBJECT})
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

    @routes.get("/api/v1/claims", dependencies=reader, summary="List claims, newest first")
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

    @routes.get("/api/v1/claims/{claim_id}", dependencies=reader, summary="Get one claim")
    def claim(claim_id: str) -> dict[str, Any]:
        return found(claim_id)

    @routes.get("/api/v1/claims/{claim_id}/events", dependencies=reader, summary="List a claim's audit events")
    def events(claim_id: str) -> dict[str, Any]:
        rows = reports.claim_events(found(claim_id)["id"])
        return {"events": rows, "intact": first_broken(map(AuditEvent.of_row, rows)) is None}

    routes.include_router(
        decisions.router(inside.decide, inside.corrections, inside.delegations, demand, found, inside.clock)
    )

    routes.include_router(deliveries.router(inside.resend, reports, demand, found))
    routes.include_router(silences.router(inside.silences, inside.destinations, demand, inside.clock))
    routes.include_router(destinations.router(inside.destinations, demand))
    routes.include_router(quarantine.router(inside.quarantine, reports, demand))
    routes.include_router(administration.router(reports, demand))
    routes.include_router(incidents.router(inside.incidents, inside.incident_reports, demand))

    # Each stream occupies a thread; other requests need some too.
    seats = BoundedSemaphore(_MOST_STREAMS)

    @routes.get(
        "/api/v1/stream",
        dependencies=reader,
        summary="Stream events as they happen (server-sent events)",
        response_class=EventStreamResponse,
    )
    def stream() -> StreamingResponse:
        if not seats.acquire(blocking=False):
            raise HTTPException(503, f"There are {_MOST_STREAMS} streams open already.")
        return EventStreamResponse(_server_sent(inside.follow(5.0), seats))


def _server_sent(entries: Iterator[dict[str, Any] | None], seats: BoundedSemaphore) -> Iterator[bytes]:
    try:
        for entry in entries:
            # An occasional comment keeps proxies from closing an idle stream.
            yield b": quiet\n\n" if entry is None else b"data: " + orjson.dumps(entry) + b"\n\n"
    finally:
        seats.release()
