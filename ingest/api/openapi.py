"""Completes the OpenAPI document: messages, answers of intake, problems."""

from typing import Any, Final

from fastapi import FastAPI

from ingest.api.messages import MAX_ITEMS
from ingest.api.request_checks import JSON_TYPES
from ingest.cloudevents import schemas

Part = dict[str, Any]

_PLACE: Final = "#/components/schemas/"


def _ref(name: str) -> Part:
    return {"$ref": _PLACE + name}


_PROBLEM: Final = {"application/problem+json": {"schema": _ref("Problem")}}
PROBLEMS: Final[dict[int | str, Part]] = {"default": {"description": "A problem (RFC 9457)", "content": _PROBLEM}}
"""The error response of every operation."""

OBJECT: Final[Part] = {
    "description": "The same, and what is wrong",
    "content": {"application/json": {"schema": {"type": "object"}}},
}

_ANSWER: Final = {"application/json": {"schema": _ref("IntakeAnswer")}}
_COMPONENTS: Final[Part] = {
    "Problem": {
        "type": "object",
        "title": "Problem",
        "description": "A problem document (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What is wrong, and what would be right."},
            "code": {"type": "string", "description": "The reason in a stable word."},
            "pointer": {"type": "string", "description": "Where in the request's body (RFC 6901)."},
        },
    },
    "IntakeAnswer": {
        "type": "object",
        "title": "IntakeAnswer",
        "description": "What became of each item, once everything is durable.",
        "required": ["accepted", "items"],
        "additionalProperties": False,
        "properties": {
            "accepted": {"type": "integer", "minimum": 0, "maximum": MAX_ITEMS},
            "items": {"type": "array", "maxItems": MAX_ITEMS, "items": _ref("IntakeItem")},
        },
    },
    "IntakeItem": {
        "type": "object",
        "title": "IntakeItem",
        "description": "Accepted, with its id; or refused, with its problem, and in quarantine.",
        "required": ["index", "status"],
        "additionalProperties": False,
        "properties": {
            "index": {"type": "integer", "minimum": 0},
            "status": {"enum": ["accepted", "refused"]},
            "id": {"type": "string"},
            "warnings": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Fields that are not known; they were kept.",
            },
            "problem": _ref("Problem"),
        },
    },
}


def intake(kind: str) -> Part:
    """Describes an operation that ingests messages of a kind."""
    event, data = _ref(schemas.event_name(kind)), _ref(schemas.data_name(kind))
    several = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": {"anyOf": [data, event]}}
    body = {"schema": {"anyOf": [data, event, several]}}
    refused = {"description": "Nothing was accepted; each item says why", "content": _ANSWER | _PROBLEM}
    return {
        "status_code": 202,
        "responses": {202: {"description": "What became of each item", "content": _ANSWER}, 422: refused},
        "openapi_extra": {"requestBody": {"required": True, "content": dict.fromkeys(JSON_TYPES, body)}},
    }


def install(app: FastAPI) -> None:
    """Adds the schemas that operations refer to to the application's OpenAPI document."""
    plain = app.openapi

    def described() -> Part:
        document = plain()
        parts = document.setdefault("components", {}).setdefault("schemas", {})
        parts.update(_COMPONENTS | schemas.components(_PLACE, "fault", "usage"))
        return document

    app.openapi = described  # type: ignore[method-assign]
