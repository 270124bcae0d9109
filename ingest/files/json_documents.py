"""The objects in JSON that others hand over, each with its own bytes, whatever holds them together.

One object or many, in lists or lists of lists, one a line or laid out over many, document after document, in the
pages of an API (`{"data": […]}`), cut off in the middle: every object that is whole is found, and what is none is
handed back as it was. Whether an object is JSON inside is for its reader to say.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from domain.errors import MalformedMessage, SetupError
from ingest.files.items import Refused
from ingest.tables import csv_rows as rows

MAX_FILE_BYTES: Final = 1024**3
_DEEPEST: Final = 12
_LONGEST_GAP: Final = 256
# White space, commas, record separators (RFC 7464), and byte order marks of files that were joined.
_BETWEEN: Final = b" \t\r\n,\x1e\xef\xbb\xbf"

# Atomic groups, since these must not try again what they passed: repeated text would cost its square.
_STRING: Final = rb'"[^"\\\n]*+(?>(?:\\.[^"\\\n]*+)*)"'
_NO_BRACKET: Final = rb'[^"{}\[\]]++|' + _STRING
# Up to the next bracket outside of strings. A quotation mark that closes on no line stands for itself.
_BRACKET: Final = re.compile(rb'(?>(?:%b|")*)([{}\[\]])' % _NO_BRACKET, re.DOTALL)
# OCPI's envelope up to its data, which only plain members come before.
_MEMBER: Final = rb'%b\s*+:\s*+(?:%b|[^"{}\[\],]++)\s*+,\s*+' % (_STRING, _STRING)
_ENVELOPE: Final = re.compile(rb'\{\s*+(?>(?:%b)*)"data"\s*+:\s*+(?=[{\[])' % _MEMBER, re.DOTALL)


def _nested(levels: int) -> bytes:
    inside = _NO_BRACKET + (b"|" + _nested(levels - 1) if levels else b"")
    return rb"[{\[](?>(?:%b)*)[}\]]" % inside


# A whole object that is not nested deeper than OCPI's are: found in one step, where it is no odd one.
_WHOLE: Final = re.compile(_nested(7), re.DOTALL)


def read(lines: Iterable[str], max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The whole of a file from its lines (see `ingest.tables.csv_rows.lines`). Raises `SetupError` past
    `max_bytes`."""
    content = bytearray()
    for line in lines:
        content += rows.original_bytes(line)
        if len(content) > max_bytes:
            raise SetupError(f"The file has more than {max_bytes:,} bytes; split it and import the parts.")
    return bytes(content)


def objects(text: bytes) -> Iterator[bytes | Refused]:
    """The objects in the text, in their order, and what lies between them and is none. Takes linear time."""
    position, end, envelopes = 0, len(text), 0
    while found := _BRACKET.match(text, position, end):
        begin, bracket = found.start(1), found[1]
        if bracket == b"}" and envelopes:
            # What stood before it was the rest of the envelope.
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
    """Where the object ends that begins here, and whether it is whole."""
    if plain := _WHOLE.match(text, begin):
        return plain.end(), True
    for bracket, depth in _brackets(text, begin, end):
        if depth == 0:
            return bracket + 1, True
        if depth > 1 and _begins_another(text, bracket, depth):
            break
    # The next object that begins a line may be whole, even where this one seemed to hold it.
    following = text.find(b"\n{", begin + 1, end)
    return (end if following < 0 else following + 1), False


def _brackets(text: bytes, position: int, end: int) -> Iterator[tuple[int, int]]:
    """Every bracket from here on, and how many are open after it."""
    depth = 0
    while found := _BRACKET.match(text, position, end):
        depth += 1 if found[1] in b"{[" else -1
        position = found.end()
        yield position - 1, depth


def _begins_another(text: bytes, bracket: int, depth: int) -> bool:
    """Whether an object begins a line where none can stand: the one before it was left open."""
    if text[bracket - 1 : bracket + 1] != b"\n{":
        return False
    before = text[max(0, bracket - _LONGEST_GAP) : bracket].rstrip()
    return depth > _DEEPEST or not before.endswith((b"[", b",", b":"))


def _rest(text: bytes, begin: int, end: int) -> Iterator[Refused]:
    if rest := text[begin:end].strip(_BETWEEN):
        yield Refused(rest, MalformedMessage("NOT_JSON", "Here stands something that is no JSON object."))


def _cut_off(raw: bytes) -> Refused:
    return Refused(raw, MalformedMessage("NOT_JSON", "The object has no end: a bracket is missing, or the rest."))
