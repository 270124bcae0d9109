"""A list is cut into its items without being read: each keeps its own bytes."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cloudevents import split_array
from tests.unit.ingest.fuzzing import fuzzed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (b"[]", []),
        (b" [ ] \n", []),
        (b'{"a": [1, {"b": "]}"}]}', [b'{"a": [1, {"b": "]}"}]}']),
        (b'[{"a": 1}, {"a": NaN} ,{"a": "\\u0000"}]', [b'{"a": 1}', b'{"a": NaN}', b'{"a": "\\u0000"}']),
        (b'["a,b", "\\"],", 3]', [b'"a,b"', b'"\\"],"', b"3"]),
        (b"[1,]", [b"1", b""]),
        (b"[{]},2]", None),
        (b"", None),
        (b"7", None),
        (b"nonsense", None),
        (b'{"a": 1}\n{"b": 2}', None),
        (b'x {"a": 1}', None),
        (b'[{"a": 1}', None),
        (b'[1, {"a": "open}]', [b"1", b'{"a": "open}']),
        (b"]" + b"[" * 100_000, None),
        (b"[" * 100_000, None),
    ],
)
def test_a_text_is_cut_at_its_own_commas(text: bytes, items: list[bytes] | None) -> None:
    """And only there; what is not just one list or object is not cut at all."""
    assert split_array.split(text) == items


@given(st.lists(JSON))
def test_the_items_are_those_that_a_reader_finds(values: list[object]) -> None:
    """Whatever they hold."""
    items = split_array.split(orjson.dumps(values))

    assert items is not None
    assert [orjson.loads(item) for item in items] == values


@given(st.binary(max_size=200))
@fuzzed
def test_no_bytes_stop_it(text: bytes) -> None:
    """It tells or it does not; it never raises."""
    split_array.split(text)
    split_array.split(b"[" + text + b"]")
