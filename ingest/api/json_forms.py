"""JSON forms of evidence and quarantined messages, for API and command line.

They import no web framework, which commands would take a third of a second to load.
"""

from base64 import b64encode
from typing import Any

import orjson

from domain.errors import NotFound
from domain.evidence.item import Evidence, OnFile, Reported
from domain.field.quarantine import STATES
from domain.ports.queries import Reports
from ingest.cloudevents.redecode import decoded

ALL = "all"
LISTED = (*STATES, ALL)


def evidence_json(on_file: OnFile) -> dict[str, Any]:
    """Formats a claim's evidence as JSON: filed items, then what came with faults."""
    return {
        "items": [item_json(item) for item in on_file.items]
        + [_reported_json(piece) for piece in on_file.reported],
        "demanded": list(on_file.demanded),
        "missing": on_file.missing,
        "digest": on_file.digest,
    }


def item_json(item: Evidence) -> dict[str, Any]:
    """Formats one filed item as JSON."""
    parts = item.parts
    return {
        "id": item.id,
        "kind": item.kind,
        "source": "filed",
        "added_at": item.added_at.isoformat(),
        "added_by": item.added_by,
        "note": parts.get("note", ""),
        "data": parts.get("data"),
        "file": parts.get("file"),
        "withdrawn_at": item.withdrawn_at.isoformat() if item.withdrawn_at else None,
        "withdrawn_by": item.withdrawn_by,
    }


def _reported_json(piece: Reported) -> dict[str, Any]:
    data = {name: value for name, value in piece.data.items() if name != "kind"}
    return {
        "id": None,
        "kind": piece.data.get("kind"),
        "source": "fault",
        "fault": piece.fault,
        "added_at": piece.reported_at.isoformat(),
        "added_by": piece.reported_by,
        "note": "",
        "data": data,
        "file": None,
        "withdrawn_at": None,
        "withdrawn_by": None,
    }


def found(reports: Reports, key: str) -> dict[str, Any]:
    """Returns the message with this key, or the only one whose key begins so. Raises `NotFound`."""
    row = reports.find_quarantined(key)
    if row is None:
        raise NotFound(f"No quarantined message begins with {key}, or more than one does.")
    return row


def message_json(row: dict[str, Any]) -> dict[str, Any]:
    """Formats a quarantined message as JSON.

    The decoded part, and the bytes, original and edited, as text and as base64.
    """
    body, edited = bytes(row["body"]), row["edited"]
    return row | {
        "decoded": _decoded_json(body),
        "body": body.decode("utf-8", "backslashreplace"),
        "body_base64": b64encode(body).decode(),
        "edited": None if edited is None else bytes(edited).decode("utf-8", "backslashreplace"),
        "edited_base64": None if edited is None else b64encode(bytes(edited)).decode(),
    }


def _decoded_json(body: bytes) -> Any:
    """Decodes the body for JSON; None also for values that our JSON cannot hold.

    For example integers past 64 bits.
    """
    try:
        return orjson.loads(orjson.dumps(decoded(body, cut_short=True)))
    except (orjson.JSONEncodeError, orjson.JSONDecodeError):
        return None
