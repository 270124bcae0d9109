"""Finds the evidence that follows from a duplicate claim to the other one."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from domain.errors import EvidenceRefused
from domain.evidence.item import Evidence, Reported, compose


def following(
    claim_id: str, filed: Iterable[Evidence], reported: Iterable[Reported], new_id: Callable[[], str]
) -> list[Evidence]:
    """Makes items for a claim of what counts for its duplicate: items that stand, and what came with its faults.

    Pieces from before there was a rule for their kind count for nothing, and stay where they are.
    """
    pieces = (*_filed(filed), *_reported(reported))
    return [Evidence(new_id(), claim_id, kind, at, who, content) for kind, content, at, who in pieces]


_Piece = tuple[str, str, datetime, str]


def _filed(items: Iterable[Evidence]) -> Iterator[_Piece]:
    for item in items:
        note, data = item.parts.get("note", ""), item.parts.get("data")
        if item.standing and _sound(item.kind, note=note, data=data, file=item.file):
            yield item.kind, item.content, item.added_at, item.added_by


def _reported(pieces: Iterable[Reported]) -> Iterator[_Piece]:
    for piece in pieces:
        data = {name: value for name, value in piece.data.items() if name != "kind"}
        kind = str(piece.data.get("kind"))
        note = str(data.pop("text", "")) if kind == "note" else ""
        content = _sound(kind, note=note, data=data or None)
        if content:
            yield kind, content, piece.reported_at, piece.reported_by


def _sound(kind: str, **parts: Any) -> str | None:
    """Composes the content; None where that is none of its kind."""
    try:
        return compose(kind, **parts)
    except EvidenceRefused:
        return None
