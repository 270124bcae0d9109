"""Settles files of evidence: their media type, safe name and size."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Final

from domain.errors import EvidenceRefused, EvidenceTooLarge, MediaTypeRefused

MOST_BYTES: Final = 10 * 1024 * 1024

# The accepted media types with their file endings; the first is given to a name that has none.
MEDIA_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".log", ".md"),
    "text/csv": (".csv", ".tsv"),
    "application/json": (".json", ".jsonl"),
}
# Other names that senders use for the same type.
_ALIASES: Final = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "application/csv": "text/csv"}
# What senders declare who do not know the type.
_UNDECLARED: Final = ("", "application/octet-stream", "binary/octet-stream")

_LONGEST_NAME = 120
# Control characters, invisible ones that turn the writing direction, halves of surrogates, line separators.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is on record, without its bytes.

    `size` is in bytes; `sha256` is 64 hexadecimal digits.
    """

    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent; its name and media type are unverified."""

    content: bytes
    name: str = ""
    media_type: str | None = None


def settle(upload: Upload, possible: Sequence[str]) -> File:
    """Returns the file of an upload, with a verified media type and a safe name.

    `possible` are the media types that the bytes may be, the likeliest first. Raises `EvidenceTooLarge`,
    `MediaTypeRefused` or `EvidenceRefused`.
    """
    demand_size(len(upload.content))
    media_type = settle_media_type(possible, upload.media_type, upload.name)
    name = clean_name(upload.name, media_type)
    return File(name, media_type, len(upload.content), sha256(upload.content).hexdigest())


def demand_size(size: int) -> None:
    """Raises `EvidenceTooLarge` for a file over the limit, `EvidenceRefused` for an empty one."""
    if size > MOST_BYTES:
        sentence = f"The file has {size:,} bytes; the limit is {MOST_BYTES:,} (10 MiB)."
        raise EvidenceTooLarge("FILE_TOO_LARGE", sentence)
    if size == 0:
        raise EvidenceRefused("FILE_EMPTY", "The file is empty.")


def settle_media_type(possible: Sequence[str], declared: str | None, name: str) -> str:
    """Returns the media type of a file, which its bytes must confirm.

    `possible` are the types that the bytes may be, the likeliest first. Among them the declared type decides, or
    without one the ending of the name. Raises `MediaTypeRefused` for bytes of no accepted type, and for a declared
    type that the bytes contradict.
    """
    if not possible:
        taken = ", ".join(MEDIA_TYPES)
        raise MediaTypeRefused("TYPE_NOT_TAKEN", f"The bytes are of no type that is taken as evidence ({taken}).")
    stated = (declared or "").partition(";")[0].strip().lower()
    stated = _ALIASES.get(stated, stated)
    if stated in _UNDECLARED:
        ending = PurePosixPath(name.lower()).suffix
        return next((media_type for media_type in possible if ending in MEDIA_TYPES[media_type]), possible[0])
    if stated not in possible:
        sentence = f"The file is said to be {stated[:64]}, but its bytes are {possible[0]}."
        raise MediaTypeRefused("TYPE_BELIED", sentence)
    return stated


def clean_name(name: str, media_type: str) -> str:
    """Returns a name that is safe to show and to save under.

    It has no path, nothing unprintable, bounded length, and an ending of its media type, so that `invoice.exe`
    that holds a PNG is saved as `invoice.exe.png`.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(
        character
        for character in unicodedata.normalize("NFC", last)
        if unicodedata.category(character) not in _UNPRINTABLE and character not in '<>:"|?*'
    )
    bare = " ".join(printable.split()).strip(". ") or "file"
    endings = MEDIA_TYPES[media_type]
    has_ending = next((len(ending) for ending in endings if bare.lower().endswith(ending)), 0)
    stem, ending = bare[: len(bare) - has_ending], bare[len(bare) - has_ending :]
    return (stem[:_LONGEST_NAME].strip(". ") or "file") + (ending or endings[0])
