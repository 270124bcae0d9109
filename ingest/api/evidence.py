"""The HTTP door for evidence: items and files of a claim, bounded while they are read."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from domain.errors import EvidenceTooLarge
from domain.evidence.file import MOST_BYTES, File, Upload
from domain.policy import EVIDENCE_KINDS
from domain.ports.store import EvidenceDesk, Identity
from ingest.api.evidence_json import told, told_item
from ingest.api.fields import Note
from ingest.cloudevents import strict_json

# Beside the file: its name, the kind, the note, and what separates them.
_MOST_FIELD_BYTES = 64 * 1024
_PATH = "/api/v1/claims/{claim_id}/evidence"


class Item(BaseModel):
    """An item without a file. `data` is an object: a meter's reading, an answer to a reservation, a session."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    note: str = ""
    data: dict[str, Any] | None = None


class Withdrawal(BaseModel):
    """Why an item counts no more."""

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
    desk: EvidenceDesk,
    found: Callable[[str], dict[str, Any]],
    demand: Callable[..., Identity],
) -> None:
    """Adds the addresses. `found` is a claim by its id, or raises `NotFound`; `demand` says who asks."""

    @routes.get(_PATH, dependencies=[Depends(demand)], summary="A claim's evidence, and what is missing")
    def evidence(claim_id: str) -> dict[str, Any]:
        claim = found(claim_id)
        return told(desk.on_file(claim["id"]))

    @routes.post(
        _PATH,
        status_code=201,
        summary="Add evidence: an item, or a file",
        **_DESCRIBED,
    )
    async def add(claim_id: str, request: Request, identity: Annotated[Identity, Depends(demand)]) -> JSONResponse:
        # Told before the file travels.
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
        return JSONResponse(told_item(item), 201 if new else 200)

    @routes.post(_PATH + "/{item_id}/withdrawal", summary="Withdraw evidence; it stays on record")
    def withdraw(
        claim_id: str, item_id: str, withdrawal: Withdrawal, identity: Annotated[Identity, Depends(demand)]
    ) -> dict[str, Any]:
        claim = found(claim_id)
        item = desk.withdraw(claim["id"], item_id, who=identity.name, role=identity.role, reason=withdrawal.reason)
        return told_item(item)

    @routes.get(_PATH + "/{item_id}/file", dependencies=[Depends(demand)], summary="The file of an item")
    def file(claim_id: str, item_id: str) -> Response:
        described, content = desk.file(found(claim_id)["id"], item_id)
        return Response(content, headers=_headers(described))


def _headers(file: File) -> dict[str, str]:
    """A browser saves the file and never shows it: what somebody sent must not act in the console's name."""
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
    """The body as it comes. Raises `EvidenceTooLarge` once it is past `most` bytes, or says that it will be."""
    stated = request.headers.get("content-length", "")
    size = int(stated) if stated.isdecimal() else 0
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if max(size, received) > most:
            raise EvidenceTooLarge("BODY_TOO_LARGE", f"The request has more than {most:,} bytes.")
        yield chunk
