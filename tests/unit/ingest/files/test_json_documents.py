"""Every whole object is found, whatever holds the objects together and whatever is broken beside it."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import SetupError
from ingest.files import json_documents
from ingest.files.items import RefusedItem
from tests.unit.ingest.fuzzing import fuzzed

ONE, TWO, THREE = b'{"id": 1}', b'{"id": "}[", "in": {"a": [{}]}}', b'{"text": "\\"{ \\u00e9"}'
ALL = [ONE, TWO, THREE]
BACKSLASH = b"\\"


def found(text: bytes) -> tuple[list[bytes], list[bytes]]:
    """The objects, and what is none."""
    items = list(json_documents.objects(text))
    return [item for item in items if isinstance(item, bytes)], [
        item.raw for item in items if isinstance(item, RefusedItem)
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"\n".join(ALL),
        b"\r\n".join([b"", *ALL, b""]),
        b"[" + b",".join(ALL) + b"]",
        b"[\n" + b",\n".join(ALL) + b"\n]\n",
        b"[" + ONE + b"]\n[[" + TWO + b"], [" + THREE + b"]]",
        b'{"status_code": 1000, "timestamp": "2026-01-01T00:00:00Z", "data": [' + b",".join(ALL) + b"]}",
        b'{"data": [' + b",".join(ALL) + b'], "status_code": 1000, "status_message": "}{"}',
        b'{"data": [' + ONE + b'], "status_code": 1000}\n{"data": ' + TWO + b', "status_code": 1000}' + THREE,
        b"\x1e" + ONE + b"\n\x1e" + TWO + b"\n\xef\xbb\xbf" + THREE,
    ],
)
def test_objects_are_found_in_whatever_holds_them(text: bytes) -> None:
    """Lines, lists, pages of an API, documents joined: the objects byte for byte, and nothing else."""
    assert found(text) == (ALL, [])


@pytest.mark.parametrize("indent", [None, 0, 1, 4])
def test_laid_out_objects_are_found_whole(indent: int | None) -> None:
    """However the writer breaks its lines, also where an object inside another begins one."""
    objects = [{"a": {"b": [{"c": 1}, {"d": {}}]}, "e": "x"}, {"f": [[], {}]}]
    whole, rest = found("\n".join(json.dumps(each, indent=indent) for each in objects).encode())
    assert ([json.loads(each) for each in whole], rest) == (objects, [])


@pytest.mark.parametrize(
    "broken",
    [b'{"id": 9', b'{"id": 9,', b'{"id": [1,', b'{"id": [{"a": 1},', b'{"id": "cut', b'{"a": {"b": {"c":'],
)
def test_an_object_left_open_costs_no_neighbour(broken: bytes) -> None:
    """The lines around one that was cut off are read."""
    assert found(b"\n".join([ONE, broken, TWO, THREE])) == (ALL, [broken + b"\n"])


def test_a_list_that_was_cut_off_gives_what_is_whole() -> None:
    """Of a download that broke, only the last object is lost."""
    page = b'{"status_code": 1000, "data": [' + ONE + b"," + TWO + b',{"id": "3'
    assert found(page) == ([ONE, TWO], [b'{"id": "3'])


def test_a_page_after_one_that_was_cut_off_is_read() -> None:
    """Pages that were joined stand for themselves."""
    cut, whole = b'{"data": [' + ONE + b', {"id": 9', b'{"data": [' + TWO + b'], "status_code": 1000}'
    assert found(cut + b"\n" + whole)[0] == [ONE, TWO]


@pytest.mark.parametrize("text", [b"id;start\n1;2", b"null", b'"{}"', b"12 13", b"\xff\xfe"])
def test_what_is_no_object_is_handed_back(text: bytes) -> None:
    """As it was, and once."""
    assert found(text) == ([], [text])


def test_nothing_comes_of_nothing() -> None:
    assert found(b"") == found(b" \n[ ]\n") == ([], [])


def test_a_file_too_large_to_hold_says_so() -> None:
    """Before it fills the memory."""
    with pytest.raises(SetupError, match="more than 10 bytes; split it"):
        json_documents.read(["12345\n", "67890\n"], max_bytes=10)


def test_a_file_is_read_byte_for_byte() -> None:
    """What is no UTF-8 as well, for its object to be refused by itself."""
    assert json_documents.read(["é\n", "\udcff"]) == "é\n".encode() + b"\xff"


@given(st.lists(st.sampled_from([*ALL, b"{", b"}", b"[", b"]", b'"', b"\n", b",", b":", b"\\", b'"data":', b"x"])))
@fuzzed
def test_every_byte_is_accounted_for(parts: list[bytes]) -> None:
    """What is neither found nor refused holds nothing: brackets of lists, gaps, and the rest of a page."""
    text, position = b"".join(parts), 0
    items = [item if isinstance(item, bytes) else item.raw for item in json_documents.objects(text)]
    gaps = []
    for item in items:
        begin = text.index(item, position)
        gaps.append(text[position:begin])
        position = begin + len(item)
    between = b"".join([*gaps, text[position:]])
    assert b'"data"' in text or not between.translate(None, b"[]}, \t\r\n\x1e")


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"data":' * 100_000,
        b'{"data":[' * 100_000,
        b'{"a":[1,\n' * 10_000,
        b"{\n" * 10_000,
        b'"' * 1_000_001,
        b'{"' * 100_000,
        b'{"a":"' + BACKSLASH * 1_000_001 + b'"}',
        (b'{"a":[\n' + b'{"b":1},\n' * 50) * 200,
        b'{"a":1' + b" " * 1_000_000 + b"\n{" * 1000,
        b'{"a":"' + b"x" * 10_000_000 + b'"}',
    ],
)
def test_what_is_made_to_take_long_does_not(text: bytes) -> None:
    """Depth, open objects and open strings cost no more than their length."""
    began = time.process_time()
    found(text)
    assert time.process_time() - began < 10
