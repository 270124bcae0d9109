"""Splits a JSON text into its messages, each with its own bytes. So a bad one never spoils its neighbours."""

import re
from typing import Final

_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


def split(text: bytes) -> list[bytes] | None:
    """Returns the items of an array; of a lone object, just that.

    None for any other text. Only strings, brackets and commas are examined: whether an item is JSON is for its
    reader to decide.
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
