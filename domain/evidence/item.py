"""Defines evidence: typed items that are added and withdrawn, never altered."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from domain.errors import EvidenceRefused
from domain.evidence.content import NOT_BLANK, demand_content
from domain.evidence.file import File
from domain.policy.policy import EVIDENCE_KINDS, SIGNED_METER_VALUE, Demand, Policy
from domain.text import storable

MOST_DATA_BYTES: Final = 16 * 1024
# What a meter signed comes as one text, whose length is bounded by itself.
_MOST_SIGNED_BYTES: Final = 64 * 1024
MOST_NOTE_CHARACTERS: Final = 4000

REPORTED_PIECES: Final = 1000
"""How many pieces of evidence that came with a claim's faults are listed: the earliest; later ones are left out.

All of them count for the kinds on file.
"""

_WITH_A_FILE: Final = ("photo", "document")

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(slots=True)
class Evidence:
    """One item that somebody filed for a claim.

    `content` is canonical JSON (keys sorted, no spaces) and is stored as these very characters: `note` (text),
    `data` (an object) and `file` (see `domain.evidence.file.File`), each only if there is one. `id` is a version 7
    UUID. A withdrawn item stays, with its bytes, and no longer counts.
    """

    id: str
    claim_id: str
    kind: str
    added_at: datetime
    added_by: str
    content: str
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None

    @property
    def standing(self) -> bool:
        """Checks whether it counts: it is not withdrawn."""
        return self.withdrawn_at is None

    @property
    def parts(self) -> dict[str, Any]:
        """Returns the content: those of `note`, `data` and `file` that there are."""
        parts: dict[str, Any] = json.loads(self.content)
        return parts

    @property
    def file(self) -> File | None:
        """Returns the file, if the item has one."""
        file = self.parts.get("file")
        return File(**file) if file else None

    @property
    def hash(self) -> str:
        """Returns the SHA-256 of the content, 64 hexadecimal digits.

        A file's own SHA-256 is part of the content.
        """
        return sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Reported:
    """A piece of evidence that came with a fault.

    `fault` is the fault's key and `data` what the source sent. It counts like a filed item. The audit chain names
    the fault's key, which is a digest of the whole message.
    """

    fault: str
    reported_at: datetime
    reported_by: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OnFile:
    """Everything that a claim has on file, and what its policy demands."""

    items: list[Evidence]
    reported: list[Reported]
    demanded: tuple[str, ...]
    missing: list[str]
    digest: str


def compose(kind: str, *, note: str = "", data: dict[str, Any] | None = None, file: File | None = None) -> str:
    """Composes the content of an item.

    Raises `EvidenceRefused` for an unknown kind, and for what the kind lacks (`domain.evidence.content`) or cannot
    hold.
    """
    _demand_kind(kind, note, data, file)
    if len(note) > MOST_NOTE_CHARACTERS:
        raise EvidenceRefused("NOTE_TOO_LONG", f"A note may have {MOST_NOTE_CHARACTERS} characters.")
    parts: dict[str, Any] = {"note": note, "data": data, "file": asdict(file) if file else None}
    content = _canonical({name: part for name, part in parts.items() if part})
    if not (storable(note) and storable(content)):
        raise EvidenceRefused("TEXT_NOT_STORABLE", "A text holds U+0000 or half of a surrogate pair.")
    most = _MOST_SIGNED_BYTES if kind == SIGNED_METER_VALUE else MOST_DATA_BYTES
    if data and len(_canonical(data).encode()) > most:
        sentence = f"Data may have {most:,} bytes; send more as a file."
        raise EvidenceRefused("DATA_TOO_LARGE", sentence)
    return content


def _demand_kind(kind: str, note: str, data: dict[str, Any] | None, file: File | None) -> None:
    if kind not in EVIDENCE_KINDS:
        sentence = f"There is no kind {kind[:64]!r}; there are: {', '.join(EVIDENCE_KINDS)}."
        raise EvidenceRefused("UNKNOWN_KIND", sentence)
    if kind == "note":
        if not re.search(NOT_BLANK, note):
            raise EvidenceRefused("NOTE_MISSING", "A note needs its text.", "/note")
    elif kind in _WITH_A_FILE and file is not None:
        if kind == "photo" and not file.media_type.startswith("image/"):
            raise EvidenceRefused("NOT_A_PHOTO", f"A photo is a picture; this file is {file.media_type}.")
    elif kind in _WITH_A_FILE and not data:
        sentence = f"A {kind} is a file; send one, or in `data` the `url` and `sha256` of one."
        raise EvidenceRefused("FILE_MISSING", sentence)
    else:
        _demand_data(kind, data or {})


def _demand_data(kind: str, data: dict[str, Any]) -> None:
    try:
        demand_content(kind, data)
    except EvidenceRefused as refused:
        refused.pointer = f"/data{refused.pointer}"
        raise


def digest(items: Iterable[Evidence]) -> str:
    """Computes the digest of the evidence set, 64 hexadecimal digits.

    It is empty while nothing is on file. SHA-256 over a line for each item that is not withdrawn, in the order of
    their ids: id, kind and hash, a space between, each line ended. The database function `evidence_digest`
    computes the same from its rows.
    """
    lines = sorted(f"{item.id} {item.kind} {item.hash}\n" for item in items if item.standing)
    return sha256("".join(lines).encode()).hexdigest() if lines else ""


def demanded(policy: Policy, code: str) -> tuple[str, ...]:
    """Names what the policy demands for this error code: a kind, or `one or another`."""
    return tuple(_named(demand) for demand in policy.codes[code].evidence)


def missing(policy: Policy, code: str, on_file: Collection[str]) -> list[str]:
    """Names what is demanded and not on file, in the policy's order."""
    demands = policy.codes[code].evidence
    return [_named(demand) for demand in demands if not any(kind in on_file for kind in any_of(demand))]


def any_of(demand: Demand) -> tuple[str, ...]:
    """Returns the kinds any of which satisfies a demand."""
    return (demand,) if isinstance(demand, str) else demand


def _named(demand: Demand) -> str:
    return " or ".join(any_of(demand))
