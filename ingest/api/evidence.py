"""Routes for a claim's evidence, items and files. Bodies are bounded while they are read."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from domain.errors import EvidenceTooLarge
from domain.evidence.file import MOST_BYTES, File, Upload
from domain.policy.policy import EVIDENCE_KINDS
from domain.ports.store import EvidenceService, Identity
from ingest.api.fields import Note
from ingest.api.json_forms import evidence_json, item_json
from ingest.api.request_checks import StrictBody
from ingest.cloudevents import strict_json

# For the other fields of a form and its separators.
_MOST_FIELD_BYTES = 64 * 1024
_PATH = "/api/v1/claims/{claim_id}/evidence"


class Item(StrictBody):
    """An item without a file. `data` is an object: a meter reading, a reservation response, a session."""

    kind: str
    note: str = ""
    data: dict[str, Any] | None = None


class Withdrawal(BaseModel):
    """The reason why an item is withdrawn."""

    reason: Note


@dataclass(frozen=True, slots=True)
class _Sent:
    item: Item
    upload: Upload | None = None


_REQUEST_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": Item.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["kind", "file"],
                    "properties": {
                        "kind": {"enum": list(EVIDENCE_KINDS)},
                        "note": {"type": "string"},
                        "file": {"type": "string", "format": "binary"},
                    },
                }
            },
        },
    }
}


_DESCRIBED: Final[dict[str, Any]] = {
    "responses": {200: {"description": "It was on file already", "model": dict[str, Any]}},
    "openapi_extra": _REQUEST_BODY,
}


def add_evidence(
    routes: APIRouter,
    desk: EvidenceService,
    found: Callable[[str], dict[str, Any]],
    demand: Callable[..., Identity],
) -> None:
    """Adds the routes. `found` returns a claim by its id or raises `NotFound`; `demand` identifies the user."""

    @routes.get(_PATH, dependencies=[Depends(demand)], summary="List a claim's evidence, and what is missing")
    def evidence(claim_id: str) -> dict[str, Any]:
        claim = found(claim_id)
        return evidence_json(desk.on_file(claim["id"]))

    @routes.post(
        _PATH,
        status_code=201,
        summary="Add evidence: an item, or a file",
        **_DESCRIBED,
    )
    async def add(claim_id: str, request: Request, identity: Annotated[Identity, Depends(demand)]) -> JSONResponse:
        # An unknown claim is reported before the file is uploaded.
        claim = await run_in_threadpool(found, claim_id)
        sent = await _sent(request)
        item, new = await run_in_threadpool(
            desk.add,
            claim["id"],
            sent.item.kind,
            who=identity.name,
            role=identity.role,
            note=sent.item.note,
            data=sent.item.data,
            upload=sent.upload,
        )
        return JSONResponse(item_json(item), 201 if new else 200)

    @routes.post(_PATH + "/{item_id}/withdrawal", summary="Withdraw evidence; it stays on record")
    def withdraw(
        claim_id: str, item_id: str, withdrawal: Withdrawal, identity: Annotated[Identity, Depends(demand)]
    ) -> dict[str, Any]:
        claim = found(claim_id)
        item = desk.withdraw(claim["id"], item_id, who=identity.name, role=identity.role, reason=withdrawal.reason)
        return item_json(item)

    @routes.get(_PATH + "/{item_id}/file", dependencies=[Depends(demand)], summary="Download the file of an item")
    def file(claim_id: str, item_id: str) -> Response:
        described, content = desk.file(found(claim_id)["id"], item_id)
        return Response(content, headers=_headers(described))


def _headers(file: File) -> dict[str, str]:
    """Returns headers by which a browser saves the file and never renders it.

    An uploaded file must not run as a page of the console.
    """
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in file.name)
    charset = "; charset=utf-8" if file.media_type.startswith("text/") else ""
    return {
        "Content-Type": file.media_type + charset,
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }


async def _sent(request: Request) -> _Sent:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return await _form(request)
    if media_type in ("application/json", ""):
        body = b"".join([chunk async for chunk in _bounded(request, _MOST_FIELD_BYTES)])
        return _Sent(_item(strict_json.loads(body)))
    raise HTTPException(415, "Send an item as application/json, or a file as multipart/form-data.")


async def _form(request: Request) -> _Sent:
    stream = _bounded(request, MOST_BYTES + _MOST_FIELD_BYTES)
    parser = MultiPartParser(request.headers, stream, max_files=1, max_fields=2, max_part_size=_MOST_FIELD_BYTES)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(422, f"The form cannot be read: {error.message}") from None
    try:
        fields: dict[str, Any] = dict(form.items())
        file = fields.pop("file", None)
        if not isinstance(file, UploadFile):
            raise HTTPException(422, "The form has no part `file` with a file name.")
        upload = Upload(await file.read(), file.filename or "", file.content_type)
        return _Sent(_item(fields), upload)
    finally:
        await form.close()


def _item(fields: Any) -> Item:
    try:
        return Item.model_validate(fields, strict=True)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from None


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes]:
    """Yields the body in chunks. Raises `EvidenceTooLarge` past `most` bytes, stated or received."""
    stated = request.headers.get("content-length", "")
    size = int(stated) if stated.isdecimal() else 0
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if max(size, received) > most:
            raise EvidenceTooLarge("BODY_TOO_LARGE", f"The request has more than {most:,} bytes.")
        yield chunk
