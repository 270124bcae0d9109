"""Strict JSON: what PostgreSQL and every other reader interpret alike.

What parses elsewhere and breaks later is refused here.
"""

import json
import math
from typing import Any

import orjson

from domain.errors import MalformedMessage

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
LARGEST_INTEGER = 2**63 - 1
_MOST_DIGITS = 20

_ZEROS_FOR_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_MANY_DIGITS = b"0" * 19
_UNSURE = object()


def loads(body: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Parses a JSON text in UTF-8.

    Raises `MalformedMessage` for what I-JSON (RFC 7493) would not carry: more than `max_bytes`, deeper than
    `MAX_DEPTH`, duplicate keys, NaN and infinities (1e400 too), integers past 64 bits, U+0000, lone surrogates.
    """
    if len(body) > max_bytes:
        raise MalformedMessage("TOO_LARGE", f"The message has {len(body)} bytes; the limit is {max_bytes}.")
    # Each level needs its own opening bracket, so most messages need no depth check.
    brackets = body.count(b"[") + body.count(b"{")
    value = _fast(body)
    if value is _UNSURE:
        value = _strict(body)
    if brackets > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise MalformedMessage("TOO_DEEP", f"The message is nested deeper than {MAX_DEPTH}.")
    return value


def _fast(body: bytes) -> Any:
    """Parses with a fast parser; `_UNSURE` where it may differ from the strict one.

    Without escapes it differs in two ways that do not raise. Integers past 64 bits become floats: they have 19
    digits or more. Of duplicate keys the last wins: then at least the two quotes of a key are missing when the
    value is written again. Most senders write as we do, and a text that comes out the same has neither flaw.
    """
    if b"\\" in body:
        return _UNSURE
    try:
        value = orjson.loads(body)
        # Integers that need more than 53 bits raise, so that none past 63 is accepted.
        written = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return _UNSURE
    if written == body:
        return value
    large = _MANY_DIGITS in body.translate(_ZEROS_FOR_DIGITS)
    return _UNSURE if large or written.count(b'"') != body.count(b'"') else value


def _strict(body: bytes) -> Any:
    try:
        value = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise MalformedMessage("NOT_UTF8", f"The message is not UTF-8 at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        raise MalformedMessage("NOT_JSON", f"Not JSON at character {error.pos}: {error.msg}.") from None
    except RecursionError:
        raise MalformedMessage("TOO_DEEP", f"The message is nested deeper than {MAX_DEPTH}.") from None
    # Only an escape can write what UTF-8 itself cannot.
    if b"\\u" in body:
        _demand_storable_text(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise MalformedMessage("DUPLICATE_KEY", f"The key {twice[:64]!r} appears twice in one object.")
    return result


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS or abs(value := int(digits)) > LARGEST_INTEGER:
        raise MalformedMessage("NUMBER_TOO_LARGE", "An integer does not fit into 64 bits.")
    return value


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise MalformedMessage("NUMBER_TOO_LARGE", "A number is beyond what a 64-bit float can hold.")
    return value


def _constant(name: str) -> None:
    raise MalformedMessage("NOT_JSON", f"{name} is not JSON.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _depth(value: Any) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        item, depth = stack.pop()
        children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else None
        if children is not None:
            deepest = max(deepest, depth)
            stack.extend((child, depth + 1) for child in children)
    return deepest


def _demand_storable_text(value: Any) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if "\0" in item:
                raise MalformedMessage("NUL_CHARACTER", "A text contains U+0000, which no database text can hold.")
            if any("\ud800" <= character <= "\udfff" for character in item):
                raise MalformedMessage("LONE_SURROGATE", "A text contains half of a surrogate pair.")
        elif isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
