"""Routes for quarantined messages: list, show, replay, discard."""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator

from domain.field.quarantine import OPEN
from domain.ports.queries import Reports
from domain.ports.store import Identity
from ingest.api.fields import Note, Reason, one_of
from ingest.api.json_forms import ALL, LISTED, found, message_json
from ingest.api.request_checks import StrictBody, bounded

_Why = Annotated[Note, Query(description="Why it is replayed.")]
_State = Annotated[str, AfterValidator(one_of("state", LISTED)), Query(json_schema_extra={"enum": list(LISTED)})]


class QuarantineService(Protocol):
    """See `workers.services.quarantine.QuarantineService`."""

    def replay(self, key: str, who: Identity, edited: bytes | None = None, why: str = "") -> bool: ...

    def discard(self, key: str, who: Identity, why: str) -> None: ...


class Discard(StrictBody):
    """The reason why a message is discarded."""

    reason: Reason


def router(desk: QuarantineService, reports: Reports, identity: Callable[..., Identity]) -> APIRouter:
    """Creates the routes. A message is named by its key or the beginning of it."""
    routes = APIRouter(prefix="/api/v1/quarantine")
    reader = [Depends(identity)]
    asking = Annotated[Identity, Depends(identity)]

    @routes.get("", dependencies=reader, summary="List messages that could not be decoded")
    def listed(state: _State = OPEN, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
        return {"quarantine": reports.list_quarantine(state=None if state == ALL else state, limit=limit)}

    @routes.get(
        "/{key}", dependencies=reader, summary="Show one message, decoded as far as possible, with its bytes"
    )
    def show(key: str) -> dict[str, Any]:
        return message_json(found(reports, key))

    @routes.post("/{key}/replay", summary="Replay a message as it arrived, or as edited in the body")
    async def replay(key: str, request: Request, who: asking, reason: _Why = "") -> dict[str, Any]:
        edited = await bounded(request)
        row = await run_in_threadpool(found, reports, key)
        new = await run_in_threadpool(desk.replay, row["key"], who, edited or None, reason)
        return {"key": row["key"], "state": "replayed", "new": new}

    @routes.post("/{key}/discard", summary="Discard a message for good; it stays on record")
    def discard(key: str, body: Discard, who: asking) -> dict[str, Any]:
        row = found(reports, key)
        desk.discard(row["key"], who, body.reason)
        return {"key": row["key"], "state": "discarded"}

    return routes
