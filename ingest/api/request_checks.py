"""Checks requests: content type and size of bodies, unknown fields and query parameters."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from fastapi import HTTPException, Request
from pydantic import BaseModel, ConfigDict
from starlette.routing import BaseRoute, Match

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
_METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
JSON_TYPES: Final = ("application/json", "application/cloudevents+json", "application/cloudevents-batch+json")


class StrictBody(BaseModel):
    """Rejects unknown fields, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid")


async def json_body(request: Request) -> bytes:
    """Reads the whole body of a JSON request. Raises a 415 or a 413."""
    _demand_json(request.headers.get("content-type", JSON_TYPES[0]))
    return await bounded(request)


def _demand_json(content_type: str) -> None:
    media_type, _, parameters = content_type.lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "").removeprefix("charset=")
    if media_type.strip() not in JSON_TYPES or charset not in ("", "utf-8"):
        sentence = f"Send JSON in UTF-8, as {', '.join(JSON_TYPES)}; this is {content_type[:128]}."
        raise HTTPException(415, sentence, {"Accept": ", ".join(JSON_TYPES)})


async def bounded(request: Request) -> bytes:
    """Reads the whole body. Raises a 413 before more than `MAX_BODY_BYTES` are in memory."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
    return bytes(body)


def demand_known_parameters(request: Request) -> None:
    """Rejects unknown or repeated query parameters with a 422. They would be ignored silently."""
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "there are none"
            raise HTTPException(422, f"query.{name[:64]}: there is no such parameter; {there}.")
        if times > 1:
            raise HTTPException(422, f"query.{name}: it stands there {times} times; give it once.")


def methods_of(request: Request, routes: Sequence[BaseRoute]) -> str:
    """Returns the methods of a request's path for the header `Allow`."""
    asked = ({**request.scope, "method": method} for method in _METHODS)
    return ", ".join(
        scope["method"] for scope in asked if any(route.matches(scope)[0] is Match.FULL for route in routes)
    )
