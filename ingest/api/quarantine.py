"""The HTTP door to quarantine: what lies there, and what people do with it."""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator, BaseModel, ConfigDict

from domain.field.quarantine import OPEN
from domain.ports.queries import Reports
from domain.ports.store import Identity
from ingest.api.bodies import bounded
from ingest.api.fields import Note, Reason, one_of
from ingest.api.quarantine_json import ALL, LISTED, found, told

_Why = Annotated[Note, Query(description="Why it is replayed.")]
_State = Annotated[str, AfterValidator(one_of("state", LISTED)), Query(json_schema_extra={"enum": list(LISTED)})]


class QuarantineDesk(Protocol):
    """See `workers.services.quarantine.QuarantineDesk`."""

    def replay(self, key: str, who: Identity, edited: bytes | None = None, why: str = "") -> bool: ...

    def discard(self, key: str, who: Identity, why: str) -> None: ...


class Discard(BaseModel):
    """Why; nothing is set aside without saying so."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


def router(desk: QuarantineDesk, reports: Reports, identity: Callable[..., Identity]) -> APIRouter:
    """The routes. A message is named by its key or the beginning of it."""
    routes = APIRouter(prefix="/api/v1/quarantine")
    reader = [Depends(identity)]
    asking = Annotated[Identity, Depends(identity)]

    @routes.get("", dependencies=reader, summary="Messages that could not be understood")
    def listed(state: _State = OPEN, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
        return {"quarantine": reports.list_quarantine(state=None if state == ALL else state, limit=limit)}

    @routes.get("/{key}", dependencies=reader, summary="One of them, decoded as far as it goes, with its bytes")
    def show(key: str) -> dict[str, Any]:
        return told(found(reports, key))

    @routes.post("/{key}/replay", summary="Take one in after all: as it came, or as the body says")
    async def replay(key: str, request: Request, who: asking, reason: _Why = "") -> dict[str, Any]:
        edited = await bounded(request)
        row = await run_in_threadpool(found, reports, key)
        new = await run_in_threadpool(desk.replay, row["key"], who, edited or None, reason)
        return {"key": row["key"], "state": "replayed", "new": new}

    @routes.post("/{key}/discard", summary="Set one aside for good")
    def discard(key: str, body: Discard, who: asking) -> dict[str, Any]:
        row = found(reports, key)
        desk.discard(row["key"], who, body.reason)
        return {"key": row["key"], "state": "discarded"}

    return routes
