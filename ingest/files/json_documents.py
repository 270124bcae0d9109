"""Finds the objects in JSON files of any layout, each with its own bytes.

One object or many, in lists or lists of lists, one a line or laid out over many, document after document, in the
pages of an API (`{"data": […]}`), truncated in the middle: every complete object is found, and anything else is
refused as it was. Whether an object is JSON inside is for its reader to decide.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from domain.errors import MalformedMessage, SetupError
from ingest.files.items import RefusedItem
from ingest.tables import csv_rows

MAX_FILE_BYTES: Final = 1024**3
_DEEPEST: Final = 12
_LONGEST_GAP: Final = 256
# White space, commas, record separators (RFC 7464), and byte order marks of files that were joined.
_BETWEEN: Final = b" \t\r\n,\x1e\xef\xbb\xbf"

# Atomic groups, since backtracking over repeated text would take quadratic time.
_STRING: Final = rb'"[^"\\\n]*+(?>(?:\\.[^"\\\n]*+)*)"'
_NO_BRACKET: Final = rb'[^"{}\[\]]++|' + _STRING
# Up to the next bracket outside of strings. A quotation mark that closes on no line stands for itself.
_BRACKET: Final = re.compile(rb'(?>(?:%b|")*)([{}\[\]])' % _NO_BRACKET, re.DOTALL)
# OCPI's envelope up to its data, which only scalar members precede.
_MEMBER: Final = rb'%b\s*+:\s*+(?:%b|[^"{}\[\],]++)\s*+,\s*+' % (_STRING, _STRING)
_ENVELOPE: Final = re.compile(rb'\{\s*+(?>(?:%b)*)"data"\s*+:\s*+(?=[{\[])' % _MEMBER, re.DOTALL)


def _nested(levels: int) -> bytes:
    inside = _NO_BRACKET + (b"|" + _nested(levels - 1) if levels else b"")
    return rb"[{\[](?>(?:%b)*)[}\]]" % inside


# A whole object nested no deeper than OCPI's: the common case, found in one step.
_WHOLE: Final = re.compile(_nested(7), re.DOTALL)


def read(lines: Iterable[str], max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Joins a file's lines (see `ingest.tables.csv_rows.lines`). Raises `SetupError` past `max_bytes`."""
    content = bytearray()
    for line in lines:
        content += csv_rows.original_bytes(line)
        if len(content) > max_bytes:
            raise SetupError(f"The file has more than {max_bytes:,} bytes; split it and import the parts.")
    return bytes(content)


def objects(text: bytes) -> Iterator[bytes | RefusedItem]:
    """Yields the objects in the text, in order, and refuses what lies between them. Takes linear time."""
    position, end, envelopes = 0, len(text), 0
    while found := _BRACKET.match(text, position, end):
        begin, bracket = found.start(1), found[1]
        if bracket == b"}" and envelopes:
            # The text before it was the rest of the envelope.
            envelopes -= 1
            position = begin + 1
            continue
        yield from _rest(text, position, begin)
        if bracket != b"{":
            position = begin + 1
        elif envelope := _ENVELOPE.match(text, begin):
            envelopes += 1
            position = envelope.end()
        else:
            position, whole = _object_end(text, begin, end)
            yield text[begin:position] if whole else _cut_off(text[begin:position])
    yield from _rest(text, position, end)


def _object_end(text: bytes, begin: int, end: int) -> tuple[int, bool]:
    """Finds where the object that begins here ends, and whether it is complete."""
    if plain := _WHOLE.match(text, begin):
        return plain.end(), True
    for bracket, depth in _brackets(text, begin, end):
        if depth == 0:
            return bracket + 1, True
        if depth > 1 and _begins_another(text, bracket, depth):
            break
    # The next object that begins a line may be whole, even if this one seemed to contain it.
    following = text.find(b"\n{", begin + 1, end)
    return (end if following < 0 else following + 1), False


def _brackets(text: bytes, position: int, end: int) -> Iterator[tuple[int, int]]:
    """Yields every bracket from here on, and the depth after it."""
    depth = 0
    while found := _BRACKET.match(text, position, end):
        depth += 1 if found[1] in b"{[" else -1
        position = found.end()
        yield position - 1, depth


def _begins_another(text: bytes, bracket: int, depth: int) -> bool:
    """Tells whether an object begins a line where none may stand. The one before it was not closed."""
    if text[bracket - 1 : bracket + 1] != b"\n{":
        return False
    before = text[max(0, bracket - _LONGEST_GAP) : bracket].rstrip()
    return depth > _DEEPEST or not before.endswith((b"[", b",", b":"))


def _rest(text: bytes, begin: int, end: int) -> Iterator[RefusedItem]:
    if rest := text[begin:end].strip(_BETWEEN):
        yield RefusedItem(rest, MalformedMessage("NOT_JSON", "Here stands something that is no JSON object."))


def _cut_off(raw: bytes) -> RefusedItem:
    return RefusedItem(
        raw, MalformedMessage("NOT_JSON", "The object has no end: a bracket is missing, or the rest.")
    )
