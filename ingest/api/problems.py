"""Renders errors as RFC 9457 problem documents."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from domain.errors import (
    Conflict,
    EvidenceRefused,
    EvidenceTooLarge,
    InputRefused,
    KeyReused,
    MalformedMessage,
    MediaTypeRefused,
    NotAllowed,
    NoteRefused,
    NotFound,
    SetupError,
    SpotclaimError,
    TransientError,
)
from ingest.api.request_checks import methods_of

_TITLES: dict[type[SpotclaimError], tuple[int, str]] = {
    MalformedMessage: (422, "The message cannot be understood"),
    NotFound: (404, "Not found"),
    NotAllowed: (403, "Not allowed"),
    Conflict: (409, "The present state does not allow this"),
    NoteRefused: (422, "The note cannot be taken"),
    InputRefused: (422, "The request cannot be taken"),
    KeyReused: (422, "The key was used before"),
    EvidenceRefused: (422, "This cannot be evidence"),
    EvidenceTooLarge: (413, "The evidence is too large"),
    MediaTypeRefused: (415, "Files of this type are not taken"),
    SetupError: (422, "This cannot be used"),
    TransientError: (503, "Try again later"),
}

_METHOD_NOT_ALLOWED = 405


def problem(status: int, title: str, detail: str, **members: Any) -> dict[str, Any]:
    """Creates a problem document; `members` are extension members."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}


def of_error(error: SpotclaimError) -> dict[str, Any]:
    """Converts one of our own errors into a problem document."""
    status, title = _TITLES.get(type(error), (500, "Internal error"))
    more = {"code": error.code} if isinstance(error, MalformedMessage | EvidenceRefused | InputRefused) else {}
    if isinstance(error, MalformedMessage) or (isinstance(error, EvidenceRefused) and error.pointer):
        more["pointer"] = error.pointer
    return problem(status, title, str(error), **more)


def respond(document: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    """Creates a response from a problem document, with its status."""
    return JSONResponse(document, document["status"], headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Installs handlers that answer every error with a problem document."""

    @app.exception_handler(SpotclaimError)
    def ours(_request: Request, error: SpotclaimError) -> JSONResponse:
        return respond(of_error(error), {"Retry-After": "5"} if isinstance(error, TransientError) else None)

    @app.exception_handler(HTTPException)
    def theirs(request: Request, error: HTTPException) -> JSONResponse:
        document = problem(error.status_code, "The request cannot be served", str(error.detail))
        allowed = {"Allow": methods_of(request, app.routes)} if error.status_code == _METHOD_NOT_ALLOWED else {}
        return respond(document, dict(error.headers or {}) | allowed)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        details = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
        return respond(problem(422, "The request is not valid", "; ".join(details)))
