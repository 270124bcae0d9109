"""The HTTP door for messages: faults and usage records, one or a list of them."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from domain.errors import NotAllowed
from domain.ports.store import BindKey, Clock, HandOver, Identity
from ingest.api import messages as http_intake
from ingest.api import openapi
from ingest.api.bodies import json_body

_IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r'^("[^"\\\x00-\x1f\x7f]{1,255}"|[^"\\\x00-\x1f\x7f]{1,255})$',
        description="For a day, the same key with the same body is one request; with another body it is refused.",
    ),
]


def router(hand_over: HandOver, bind_key: BindKey, identity: Callable[..., Identity], clock: Clock) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1")
    asking = Annotated[Identity, Depends(identity)]

    async def take_in(request: Request, default_type: str, who: Identity, key: str | None) -> JSONResponse:
        if who.role == "auditor":
            raise NotAllowed("Auditors read; they do not file.")
        body = await json_body(request)
        status, answer = await run_in_threadpool(durable, body, default_type, who, key and key.strip('"'))
        return JSONResponse(answer, status)

    def durable(body: bytes, default_type: str, who: Identity, key: str | None) -> tuple[int, dict[str, Any]]:
        make_id: http_intake.MakeId = http_intake.any_id
        if key is not None:
            bind_key(who.name, key, default_type.encode() + body)
            make_id = http_intake.ids_of(key, who)
        return http_intake.take_in(body, default_type, who, hand_over, clock, make_id)

    @routes.post("/faults", summary="Report faults: one or a list of up to 1,000", **openapi.intake("fault"))
    async def faults(request: Request, who: asking, key: _IdempotencyKey = None) -> JSONResponse:
        return await take_in(request, http_intake.FAULTS, who, key)

    @routes.post("/usage-records", summary="Report usage: one record or a list", **openapi.intake("usage"))
    async def usage(request: Request, who: asking, key: _IdempotencyKey = None) -> JSONResponse:
        return await take_in(request, http_intake.USAGE, who, key)

    return routes
