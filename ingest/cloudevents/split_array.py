"""The messages in a JSON text, each with its own bytes, so that a bad one never spoils its neighbours."""

import re
from typing import Final

_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


def split(text: bytes) -> list[bytes] | None:
    """The items of an array, or an object as the only one; None where the text is not just one of these.

    Only strings, brackets and commas are looked at: whether an item is JSON is for its reader to say.
    """
    text = text.strip()
    begin, depth, cuts = 0, 0, [1]
    for token in _TOKEN.finditer(text):
        character = token[0]
        if character in (b"[", b"{"):
            begin, depth = (token.start(), 1) if depth == 0 else (begin, depth + 1)
        elif character in (b"]", b"}"):
            depth -= 1
            if depth == 0:
                return _items(text, cuts, token.end()) if begin == 0 else None
        elif character == b"," and depth == 1:
            cuts.append(token.end())
    return None


def _items(text: bytes, cuts: list[int], end: int) -> list[bytes] | None:
    if end != len(text) or text[:1] not in (b"[", b"{"):
        return None
    if text[:1] == b"{":
        return [text]
    ends = [cut - 1 for cut in cuts[1:]] + [end - 1]
    items = [text[begin:until].strip() for begin, until in zip(cuts, ends, strict=True)]
    return [] if items == [b""] else items
