"""The checkpoint line: one spelling, and anything else is refused."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit.chain import GENESIS
from domain.audit.checkpoint import Checkpoint, digest, parse

A_CHECKPOINT = Checkpoint(
    size=12,
    root="ab" * 32,
    at="2026-03-10T12:00:00.000000Z",
    previous=GENESIS,
    key="0123456789abcdef",
    signature="cd" * 64,
)


def test_a_line_is_read_as_it_was_written() -> None:
    """Canonical: keys sorted, no spaces, one line."""
    line = A_CHECKPOINT.line()

    assert parse(line) == A_CHECKPOINT
    assert line.startswith('{"at":"2026-03-10T12:00:00.000000Z","key":"0123456789abcdef","previous":"0000')
    assert "\n" not in line


def test_the_signature_is_over_everything_else() -> None:
    """And not over itself."""
    assert A_CHECKPOINT.statement() == A_CHECKPOINT.signed("ef" * 64).statement()
    assert b"signature" not in A_CHECKPOINT.statement()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"size":12', '"size":-1'),
        ('"size":12', '"size":true'),
        ('"size":12', '"size":"12"'),
        ('"root":"ab', '"root":"AB'),
        ('"root":"ab', '"root":"'),
        ("00Z", "00+01:00"),
        ('"key"', '"cay"'),
        ('"key":"', '"key":"0'),
        ("}", ',"more":1}'),
        ("}", ""),
    ],
)
def test_any_other_line_is_refused(before: str, after: str) -> None:
    """Nothing is guessed."""
    line = A_CHECKPOINT.line()
    assert before in line

    with pytest.raises(ValueError, match=r".+"):
        parse(line.replace(before, after, 1))


@given(st.text(max_size=30))
def test_no_text_is_worse_than_refused(text: str) -> None:
    """Saved messages hold all kinds of lines."""
    with pytest.raises(ValueError, match=r".+"):
        parse("{" + text)


def test_checkpoints_name_the_one_before() -> None:
    """The first names none."""
    assert digest(None) == GENESIS
    assert digest("line") == sha256(b"line").hexdigest()
