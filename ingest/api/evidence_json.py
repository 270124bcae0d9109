"""A claim's evidence as JSON, the same for the HTTP door and the command line."""

from typing import Any

from domain.evidence.item import Evidence, OnFile, Reported


def told(on_file: OnFile) -> dict[str, Any]:
    """What is on file, ready for JSON: filed items, then what came with faults."""
    return {
        "items": [told_item(item) for item in on_file.items]
        + [_told_reported(piece) for piece in on_file.reported],
        "demanded": list(on_file.demanded),
        "missing": on_file.missing,
        "digest": on_file.digest,
    }


def told_item(item: Evidence) -> dict[str, Any]:
    """One filed item, ready for JSON."""
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


def _told_reported(piece: Reported) -> dict[str, Any]:
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
