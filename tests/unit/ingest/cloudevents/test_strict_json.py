"""JSON as strict as the database behind it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import MalformedMessage
from ingest.cloudevents.strict_json import MAX_BYTES, MAX_DEPTH, loads
from tests.unit.ingest.fuzzing import fuzzed


def refusal(body: bytes) -> str:
    with pytest.raises(MalformedMessage) as refused:
        loads(body)
    assert refused.value.sentence.endswith(".")
    assert len(refused.value.sentence) < 200
    return refused.value.code


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "NOT_JSON"),
        (b"not json", "NOT_JSON"),
        (b"{", "NOT_JSON"),
        (b"{} {}", "NOT_JSON"),
        (b"{'a': 1}", "NOT_JSON"),
        (b'"\n"', "NOT_JSON"),
        (b"\xef\xbb\xbf{}", "NOT_JSON"),
        (b"NaN", "NOT_JSON"),
        (b'{"a": -Infinity}', "NOT_JSON"),
        (b"[Infinity]", "NOT_JSON"),
        (b"\xff", "NOT_UTF8"),
        (b'"\xed\xa0\x80"', "NOT_UTF8"),
        (b'{"a":1}'.decode().encode("utf-16"), "NOT_UTF8"),
        (b'{"a": 1, "a": 2}', "DUPLICATE_KEY"),
        (b'[{"b": {"a": 1, "\\u0061": 2}}]', "DUPLICATE_KEY"),
        (b"1e400", "NUMBER_TOO_LARGE"),
        (b"[-1e400]", "NUMBER_TOO_LARGE"),
        (b"9223372036854775808", "NUMBER_TOO_LARGE"),
        (b"-9223372036854775809", "NUMBER_TOO_LARGE"),
        (b"1" * 10_000, "NUMBER_TOO_LARGE"),
        (b'"\\u0000"', "NUL_CHARACTER"),
        (b'{"a\\u0000": 1}', "NUL_CHARACTER"),
        (b'[[{"a": ["\\u0000"]}]]', "NUL_CHARACTER"),
        (b'"\\ud800"', "LONE_SURROGATE"),
        (b'"\\udc00\\ud800"', "LONE_SURROGATE"),
        (b'{"\\udfff": 1}', "LONE_SURROGATE"),
    ],
)
def test_what_would_break_later_is_refused_now(body: bytes, code: str) -> None:
    """Each refusal has a stable code and one short sentence."""
    assert refusal(body) == code


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775807", -(2**63) + 1),
        (b"1.5e300", 1.5e300),
        (b"1e-400", 0.0),
        (b'"\\ud83d\\ude97"', "\U0001f697"),
        (b'"\\\\u0000"', "\\u0000"),
        ('"ü\U0001f697"'.encode(), "ü\U0001f697"),
        (b' {"a" : [ ] } \n', {"a": []}),
        (b'{"a": 1, "A": 2}', {"a": 1, "A": 2}),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (b"null", None),
    ],
)
def test_what_only_looks_dangerous_is_taken(body: bytes, value: Any) -> None:
    """Limits are met exactly, and escapes that write sound text are sound."""
    assert loads(body) == value


def test_the_size_limit_is_exact() -> None:
    """One byte more is too many."""
    fitting = b'"' + b"x" * (MAX_BYTES - 2) + b'"'

    assert len(loads(fitting)) == MAX_BYTES - 2
    assert refusal(fitting + b" ") == "TOO_LARGE"
    assert len(loads(fitting + b" ", max_bytes=MAX_BYTES + 1)) == MAX_BYTES - 2


def test_the_depth_limit_is_exact() -> None:
    """One level more is too deep, and brackets within texts are none."""
    assert loads(nested(MAX_DEPTH)) is not None
    assert refusal(nested(MAX_DEPTH + 1)) == "TOO_DEEP"
    assert loads(b'"' + b"[" * 1000 + b'"') == "[" * 1000


@pytest.mark.parametrize("depth", [1_000, 43_000])
def test_extreme_depth_is_refused_like_any_other(depth: int) -> None:
    """No nesting exhausts the stack."""
    assert refusal(nested(depth)) == "TOO_DEEP"
    assert refusal(b'{"a":' * depth + b"1" + b"}" * depth) == "TOO_DEEP"


sound_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | sound_text
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(sound_text, inner, max_size=4),
    max_leaves=20,
)


@given(values, st.booleans())
def test_any_sound_value_comes_back_as_it_was(value: Any, ascii_only: bool) -> None:
    """Within the limits there is no difference to any other reader."""
    body = json.dumps(value, ensure_ascii=ascii_only).encode()

    assert loads(body) == json.loads(body)


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\ud80eE+-.0123456789naN', max_size=60).map(str.encode))
@fuzzed
def test_arbitrary_bytes_never_raise_anything_else(body: bytes) -> None:
    """Either a value that every reader agrees on, or `MalformedMessage`."""
    try:
        value = loads(body)
    except MalformedMessage as refused:
        assert refused.code.isupper()
    else:
        assert value == json.loads(body)


@given(
    st.text(alphabet='{}[]",: ab1', max_size=30)
    | st.lists(
        st.sampled_from(['"a":1', '"b":"a"', '"":{}', '"a":{"a":""}', '"a" :[]', ' "c":9223372036854775808'])
    )
    .map(",".join)
    .map("{{{}}}".format)
)
def test_no_duplicate_key_and_no_large_number_slips_through(text: str) -> None:
    """However the object is written: what is taken has every key once and only integers of 64 bits."""
    try:
        loads(text.encode())
    except MalformedMessage:
        return
    json.loads(text, object_pairs_hook=_demand_unique, parse_int=_demand_64_bits)


def _demand_unique(pairs: list[tuple[str, Any]]) -> None:
    assert len({key for key, _ in pairs}) == len(pairs)


def _demand_64_bits(digits: str) -> None:
    assert abs(int(digits)) < 2**63
