"""Messages as controllers send them: good ones, and one of every kind that cannot be understood."""

import json
from collections.abc import Callable
from typing import Any


def fault(source: str, number: int, spot_id: str, code: str = "GROUND_FAILURE", **data: Any) -> dict[str, Any]:
    """A CloudEvent that reports an error of a spot."""
    return {
        "specversion": "1.0",
        "id": f"{source}-{number}",
        "source": f"/{source}",
        "type": "spotclaim.fault.raised.v1",
        "time": "2026-11-20T10:00:00Z",
        "data": {"spot_id": spot_id, "error": {"taxonomy": "spotclaim", "code": code}, **data},
    }


def encoded(event: Any) -> bytes:
    return json.dumps(event).encode()


def with_info(info: str) -> bytes:
    """A fault whose free text is this piece of JSON, as it stands."""
    event = fault("bad", 1, "BAD*1")
    event["data"]["description"] = "HERE"
    return encoded(event).replace(b'"HERE"', info.encode())


def without(*path: str) -> bytes:
    """A fault that lacks the field at this path."""
    event = fault("bad", 1, "BAD*1")
    holder = event
    for part in path[:-1]:
        holder = holder[part]
    del holder[path[-1]]
    return encoded(event)


def with_value(value: Any, *path: str) -> bytes:
    """A fault with this value at this path."""
    event = fault("bad", 1, "BAD*1")
    holder = event
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return encoded(event)


# What is wrong, the message, and the reason it must be put into quarantine for.
MALFORMED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "NOT_JSON"),
    "not JSON": (b"STATUS FAULTED 17\x0d", "NOT_JSON"),
    "cut short": (encoded(fault("bad", 1, "BAD*1"))[:-9], "NOT_JSON"),
    "two objects": (b"{}{}", "NOT_JSON"),
    "a byte order mark": (b"\xef\xbb\xbf" + encoded(fault("bad", 1, "BAD*1")), "NOT_JSON"),
    "NaN": (with_info("NaN"), "NOT_JSON"),
    "minus infinity": (with_info("-Infinity"), "NOT_JSON"),
    "a NUL as it stands": (with_info('"a\0b"'), "NOT_JSON"),
    "Latin-1": (with_info('"Stra\xdfe"').decode().encode("latin-1"), "NOT_UTF8"),
    "a surrogate in UTF-8": (with_info('"HALF"').replace(b"HALF", b"\xed\xa0\x80"), "NOT_UTF8"),
    "an escaped NUL": (with_info(r'"a\u0000b"'), "NUL_CHARACTER"),
    "an escaped NUL in a key": (with_info(r'{"a\u0000b": 1}'), "NUL_CHARACTER"),
    "a lone surrogate": (with_info(r'"\ud83d"'), "LONE_SURROGATE"),
    "surrogates the wrong way round": (with_info(r'"\ude00\ud83d"'), "LONE_SURROGATE"),
    "duplicate keys": (b'{"id": "1", ' + encoded(fault("bad", 1, "BAD*1"))[1:], "DUPLICATE_KEY"),
    "duplicate keys deep inside": (with_info('[{"a": 1, "a": 2}]'), "DUPLICATE_KEY"),
    "1e400": (with_info("1e400"), "NUMBER_TOO_LARGE"),
    "an integer past 64 bits": (with_info(str(2**63)), "NUMBER_TOO_LARGE"),
    "an integer of 5,000 digits": (with_info("9" * 5000), "NUMBER_TOO_LARGE"),
    "too large": (with_info(json.dumps("x" * 300_000)), "TOO_LARGE"),
    "too deep": (with_info("[" * 33 + "]" * 33), "TOO_DEEP"),
    "far too deep": (b"[" * 100_000, "TOO_DEEP"),
    "a list": (b"[1, 2]", "INVALID_FIELD"),
    "a number": (b"17", "INVALID_FIELD"),
    "no id": (without("id"), "MISSING_FIELD"),
    "no source": (without("source"), "MISSING_FIELD"),
    "no data": (without("data"), "MISSING_FIELD"),
    "no spot": (without("data", "spot_id"), "MISSING_FIELD"),
    "no error": (without("data", "error"), "MISSING_FIELD"),
    "no error code": (without("data", "error", "code"), "MISSING_FIELD"),
    "another version": (with_value("2.0", "specversion"), "INVALID_FIELD"),
    "an empty spot": (with_value("", "data", "spot_id"), "INVALID_FIELD"),
    "a spot that is too long": (with_value("x" * 65, "data", "spot_id"), "INVALID_FIELD"),
    "a spot that is a list": (with_value(["BAD*1"], "data", "spot_id"), "INVALID_FIELD"),
    "an error that is a text": (with_value("GroundFailure", "data", "error"), "INVALID_FIELD"),
    "a connector below zero": (with_value(-1, "data", "connector_id"), "INVALID_FIELD"),
    "a connector that is a text": (with_value("left", "data", "connector_id"), "INVALID_FIELD"),
    "too much evidence": (with_value([{"kind": "note", "text": "x"}] * 65, "data", "evidence"), "INVALID_FIELD"),
    "evidence with nothing in it": (with_value([{"kind": "photo"}], "data", "evidence"), "MISSING_FIELD"),
    "an unknown type": (with_value("spotclaim.coffee.spilt.v1", "type"), "UNKNOWN_TYPE"),
    "no time at all": (with_value("yesterday", "data", "occurred_at"), "INVALID_TIME"),
    "a year past 9999": (with_value("10000-01-01T00:00:00Z", "data", "occurred_at"), "INVALID_TIME"),
}


def malformed(source: str, number: int) -> tuple[bytes, str]:
    """One line of text that cannot be understood, different for each number, and the reason for it."""
    kinds: list[tuple[Callable[[dict[str, Any]], bytes], str]] = [
        (lambda event: encoded(event)[:-2], "NOT_JSON"),
        (lambda event: encoded(event).replace(b'"data"', b'"id": "again", "data"'), "DUPLICATE_KEY"),
        (lambda event: encoded(event).replace(b'"GROUND_FAILURE"', rb'"GROUND\u0000FAILURE"'), "NUL_CHARACTER"),
        (lambda event: encoded(event).replace(b"fault.raised", b"fault.guessed"), "UNKNOWN_TYPE"),
        (lambda event: encoded(event).replace(b'"spot_id"', b'"spot"'), "MISSING_FIELD"),
    ]
    break_it, reason = kinds[number % len(kinds)]
    return break_it(fault(source, number, f"{source}*bad")), reason
