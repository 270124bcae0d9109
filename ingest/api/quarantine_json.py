"""A quarantined message as JSON, the same for the HTTP door and the command line."""

from base64 import b64encode
from typing import Any

import orjson

from domain.errors import NotFound
from domain.field.quarantine import STATES
from domain.ports.queries import Reports
from ingest.cloudevents.redecode import decoded

ALL = "all"
LISTED = (*STATES, ALL)


def found(reports: Reports, key: str) -> dict[str, Any]:
    """The message with this key, or the only one whose key begins so. Raises `NotFound`."""
    row = reports.find_quarantined(key)
    if row is None:
        raise NotFound(f"No quarantined message begins with {key}, or more than one does.")
    return row


def told(row: dict[str, Any]) -> dict[str, Any]:
    """The row ready for JSON: what can be decoded, the bytes as text and as base64, and so the edited ones."""
    body, edited = bytes(row["body"]), row["edited"]
    return row | {
        "decoded": _shown(body),
        "body": body.decode("utf-8", "backslashreplace"),
        "body_base64": b64encode(body).decode(),
        "edited": None if edited is None else bytes(edited).decode("utf-8", "backslashreplace"),
        "edited_base64": None if edited is None else b64encode(bytes(edited)).decode(),
    }


def _shown(body: bytes) -> Any:
    """None as well for what no JSON of ours can carry, such as integers past 64 bits."""
    try:
        return orjson.loads(orjson.dumps(decoded(body, cut_short=True)))
    except (orjson.JSONEncodeError, orjson.JSONDecodeError):
        return None
