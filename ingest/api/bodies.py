"""The body of a request: of a type that is taken, up to a limit."""

from typing import Final

from fastapi import HTTPException, Request

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
JSON_TYPES: Final = ("application/json", "application/cloudevents+json", "application/cloudevents-batch+json")


async def json_body(request: Request) -> bytes:
    """The whole body of a request that does not say it were anything but JSON. Raises a 415 or 413."""
    _demand_json(request.headers.get("content-type", JSON_TYPES[0]))
    return await bounded(request)


def _demand_json(content_type: str) -> None:
    media_type, _, parameters = content_type.lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "").removeprefix("charset=")
    if media_type.strip() not in JSON_TYPES or charset not in ("", "utf-8"):
        sentence = f"Send JSON in UTF-8, as {', '.join(JSON_TYPES)}; this is {content_type[:128]}."
        raise HTTPException(415, sentence, {"Accept": ", ".join(JSON_TYPES)})


async def bounded(request: Request) -> bytes:
    """The whole body. Raises a 413 before more than `MAX_BODY_BYTES` are held."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
    return bytes(body)
