"""JSON Schema of a piece of evidence, which holds what `domain.evidence.content` demands."""

from typing import Any, Final

from domain.evidence.content import HTTPS_URL, LONGEST_URL, NOT_BLANK, SHA256, UNITS
from domain.field.signed_value import LONGEST_TEXT
from ingest.cloudevents.strict_json import LARGEST_INTEGER

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "minLength": 1, "pattern": NOT_BLANK}
_NUMBERED: Final[Schema] = {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_FILE: Final[Schema] = {
    "url": {"type": "string", "format": "uri", "maxLength": LONGEST_URL, "pattern": HTTPS_URL},
    "sha256": {"type": "string", "pattern": SHA256},
}
_BY_KIND: Final[dict[str, Schema]] = {
    "meter_reading": {"register": {"type": "number", "minimum": 0}, "unit": {"enum": list(UNITS)}, "time": _TIME},
    "signed_meter_value": {"format": _TEXT, "text": _TEXT | {"maxLength": LONGEST_TEXT}},
    "reservation_response": {"status": _TEXT, "time": _TIME},
    "session": {"session_id": {"anyOf": [_TEXT, _NUMBERED]}},
    "photo": _FILE,
    "document": _FILE,
    "note": {"text": _TEXT},
}


def _piece(kind: str, fields: Schema) -> Schema:
    return {"type": "object", "properties": {"kind": {"const": kind}, **fields}, "required": ["kind", *fields]}


EVIDENCE_SCHEMA: Final[Schema] = {
    "description": "One piece of evidence, with what its kind needs; whatever else it carries is kept.",
    "anyOf": [_piece(kind, fields) for kind, fields in _BY_KIND.items()],
}
