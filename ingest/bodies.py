"""The body of a request, up to a limit."""

from typing import Final

from fastapi import HTTPException, Request

MAX_BODY_BYTES: Final = 16 * 1024 * 1024


async def bounded(request: Request) -> bytes:
    """The whole body. Raises a 413 before more than `MAX_BODY_BYTES` are held."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
    return bytes(body)
