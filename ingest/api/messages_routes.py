"""Routes for messages: faults and usage records, one or a list of them."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from domain.policy.roles import FILE_MESSAGES
from domain.ports.store import BindKey, Clock, DeliverBatch, Identity
from ingest.api import messages, openapi
from ingest.api.request_checks import json_body
from ingest.cloudevents.types import FAULT_RAISED, USAGE_RECORDED

_IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r'^("[^"\\\x00-\x1f\x7f]{1,255}"|[^"\\\x00-\x1f\x7f]{1,255})$',
        description="For a day, the same key with the same body is one request; with another body it is refused.",
    ),
]


def router(
    deliver_batch: DeliverBatch, bind_key: BindKey, identity: Callable[..., Identity], clock: Clock
) -> APIRouter:
    """Creates the routes."""
    routes = APIRouter(prefix="/api/v1")
    asking = Annotated[Identity, Depends(identity)]

    async def ingest(request: Request, default_type: str, who: Identity, key: str | None) -> JSONResponse:
        FILE_MESSAGES.demand(who.role)
        body = await json_body(request)
        status, answer = await run_in_threadpool(durable, body, default_type, who, key and key.strip('"'))
        return JSONResponse(answer, status)

    def durable(body: bytes, default_type: str, who: Identity, key: str | None) -> tuple[int, dict[str, Any]]:
        make_id: messages.MakeId = messages.any_id
        if key is not None:
            bind_key(who.name, key, default_type.encode() + body)
            make_id = messages.ids_of(key, who)
        return messages.ingest_items(body, default_type, who, deliver_batch, clock, make_id)

    @routes.post("/faults", summary="Report faults: one or a list of up to 1,000", **openapi.intake("fault"))
    async def faults(request: Request, who: asking, key: _IdempotencyKey = None) -> JSONResponse:
        return await ingest(request, FAULT_RAISED, who, key)

    @routes.post("/usage-records", summary="Report usage: one record or a list", **openapi.intake("usage"))
    async def usage(request: Request, who: asking, key: _IdempotencyKey = None) -> JSONResponse:
        return await ingest(request, USAGE_RECORDED, who, key)

    return routes
