"""Files are read as they are: packed or not, marked or not, and damaged ones say so."""

import gzip
import io

import pytest

from domain.errors import SetupError
from ingest import rows
from ingest.items import Refused
from ingest.rows import Row


def stream(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_gzip_is_told_by_its_first_bytes(pack: object) -> None:
    """A file needs no particular name, and standard input has none."""
    content = pack("a,b\r\n1,é\r\n".encode())  # type: ignore[operator]
    assert list(rows.lines(stream(content))) == ["a,b\r\n", "1,é\r\n"]


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    """Spreadsheets write one before the first column, quoted or not."""
    header, _ = rows.read_table(rows.lines(stream(b'\xef\xbb\xbf"a" , b\n')))
    assert header == ["a", "b"]


def test_a_gzip_file_cut_short_is_a_matter_of_setup() -> None:
    """The rows before the cut come; then the error says what to do."""
    packed = gzip.compress(b"a,b\n" * 10_000)
    with pytest.raises(SetupError, match="damaged"):
        list(rows.lines(stream(packed[:-20])))


def test_bytes_that_are_no_utf8_survive_in_the_refusal() -> None:
    """Only their own row is refused, byte for byte."""
    # Given a Latin-1 row between two good ones
    source = rows.lines(stream(b"a,b\n1,x\n2,caf\xe9\n3,y\n"))
    # When the table is read
    first, refused, last = rows.read_table(source)[1]
    # Then its bytes are as they came
    assert isinstance(refused, Refused)
    assert (refused.raw, refused.reason.code) == (b"2,caf\xe9\n", "NOT_UTF8")
    assert [row.cells[1] for row in (first, last) if isinstance(row, Row)] == ["x", "y"]


def test_a_quotation_that_never_ends_does_not_swallow_the_file() -> None:
    """What it took is refused in one piece, and the table goes on after it."""
    # Given an opening quote, and more text than a message may have
    filler = [f"{number},{'x' * 1000}\n" for number in range(400)]
    lines = ["a,b\n", '1,"oops\n', *filler]
    # When the table is read
    first, *rest = rows.read_table(lines)[1]
    # Then nothing is lost
    assert isinstance(first, Refused)
    assert first.reason.code == "NOT_CSV"
    texts = [row.raw for row in rest]
    assert first.raw + b"".join(texts) == "".join(lines[1:]).encode()
    assert len(texts) > 100
