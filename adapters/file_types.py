"""Detects media types: signatures by puremagic, texts by decoding them."""

import json
import re
from typing import Final

import puremagic

# By the file extension of a signature, since the library's media types are too broad (JPEG 2000 is no JPEG). Each
# with the length of its shortest signature, since the library accepts less (every RIFF as a picture).
_BY_SIGNATURE: Final = {
    ".png": ("image/png", 8),
    ".jpg": ("image/jpeg", 3),
    ".jpeg": ("image/jpeg", 3),
    ".jpe": ("image/jpeg", 3),
    ".jfif": ("image/jpeg", 3),
    ".webp": ("image/webp", 12),
    ".gif": ("image/gif", 6),
    ".pdf": ("application/pdf", 4),
}
_TEXTS: Final = ("text/plain", "text/csv")
# HTML, SVG and other markup can act when it is shown; a line of a system log may begin with <34>.
_MARKUP = re.compile(r"\s*<[a-z!?/]", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def sniff(content: bytes) -> tuple[str, ...]:
    """Detects the media types of a file. Implements `domain.ports.store.Sniff`."""
    by_signature = _signature(content)
    if by_signature is not None:
        return (by_signature,)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ()
    if _CONTROL.search(text) or _MARKUP.match(text):
        return ()
    return ("application/json", *_TEXTS) if _is_json(text) else _TEXTS


def _signature(content: bytes) -> str | None:
    """Returns the type of the longest signature; None if that type is not accepted."""
    try:
        matches = puremagic.magic_string(content)
    except (puremagic.PureError, ValueError):
        return None
    # Signatures at the end, or further in, may be any bytes of a picture. And the library has some signatures with
    # their escapes written out as text.
    heads = [
        m for m in matches if m.offset >= 0 and content.startswith(m.byte_match) and m.byte_match[:1] != b"\\"
    ]
    longest = max((len(match.byte_match) for match in heads), default=0)
    for match in heads:
        media_type, shortest = _BY_SIGNATURE.get(match.extension, (None, 0))
        if media_type and shortest <= len(match.byte_match) == longest:
            return media_type
    return None


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
