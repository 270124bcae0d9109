"""Files are read as they are: packed or not, marked or not, and damaged ones say so."""

import gzip
import io
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import FileDamaged, SetupError
from ingest.files import text
from ingest.files.items import RefusedItem
from ingest.tables import csv_rows
from ingest.tables.csv_rows import Row


def stream(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_gzip_is_detected_by_its_first_bytes(pack: object) -> None:
    """A file needs no particular name, and standard input has none."""
    content = pack("a,b\r\n1,é\r\n".encode())  # type: ignore[operator]
    assert list(csv_rows.lines(stream(content))) == ["a,b\r\n", "1,é\r\n"]


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    """Spreadsheets write one before the first column, quoted or not."""
    header, _ = csv_rows.read_table(csv_rows.lines(stream(b'\xef\xbb\xbf"a" , b\n')))
    assert header == ["a", "b"]


def test_the_lines_before_a_gzip_file_is_cut_short_come() -> None:
    """Then the error says what to do."""
    source = csv_rows.lines(stream(gzip.compress(b"a,b\n" * 10_000)[:-20]))
    assert next(source) == "a,b\n"
    with pytest.raises(FileDamaged, match="Fetch it again"):
        list(source)


def test_bytes_that_are_no_utf8_survive_in_the_refusal() -> None:
    """Only their own row is refused, byte for byte."""
    # Given a Latin-1 row between two good ones
    source = csv_rows.lines(stream(b"a,b\n1,x\n2,caf\xe9\n3,y\n"))
    # When the table is read
    first, refused, last = csv_rows.read_table(source)[1]
    # Then its bytes are as they came
    assert isinstance(refused, RefusedItem)
    assert (refused.raw, refused.reason.code) == (b"2,caf\xe9\n", "NOT_UTF8")
    assert [row.cells[1] for row in (first, last) if isinstance(row, Row)] == ["x", "y"]


def numbered(*lines: str) -> list[tuple[int | None, list[str] | str]]:
    """Each row below the header `a,b`: its number, and its cells or why it is refused."""
    _, table = csv_rows.read_table(["a,b\n", *lines])
    return [(row.number, row.cells if isinstance(row, Row) else row.reason.code) for row in table]


def test_rows_are_numbered_by_the_line_they_begin_at() -> None:
    """Blank lines and lines within cells count, as they do in an editor."""
    assert numbered("\n", '1,"x\n', 'y"\n', "2,z\n") == [(3, ["1", "x\ny"]), (5, ["2", "z"])]


@pytest.mark.parametrize(
    "after",
    [
        ["2,x\n", "3,y\n"],
        ["2,x\n", '3,"y"\n'],
        ["2,x\n", '3",y\n'],
        [f"{number},{'x' * 1000}\n" for number in range(400)],
        [f"{number},x\n" for number in range(3000)],
    ],
    ids=[
        "to the end",
        "to the next quotation",
        "to a quote that fits",
        "beyond a message's size",
        "beyond all lines of a row",
    ],
)
def test_a_quotation_that_is_left_open_costs_its_own_line(after: list[str]) -> None:
    """The refusal names the line it opens at, and every row after it is read."""
    # Given a row whose quotation does not end, after another row and before more
    lines = ["a,b\n", "1,w\n", '1,"oops\n', *after]
    # When the table is read
    first, refused, *rest = csv_rows.read_table(lines)[1]
    # Then that line alone is refused
    assert isinstance(refused, RefusedItem)
    assert (refused.raw, refused.reason.code, refused.number) == (b'1,"oops\n', "UNCLOSED_QUOTE", 3)
    assert "opens at line 3" in refused.reason.sentence
    assert isinstance(first, Row)
    assert [row.number for row in rest if isinstance(row, Row)] == list(range(4, 4 + len(after)))


def test_lines_that_never_end_a_row_are_read_in_bounds() -> None:
    """Quotes that open at each line's end would take the whole file into memory before the first word on it."""
    # Given a file of such lines, and a look at how far it was read
    passed = 0

    def source() -> Iterator[str]:
        nonlocal passed
        yield "a,b\n"
        for passed in range(100_000):
            yield 'x","y\n' if passed else 'x,"y\n'

    # When the first of them is refused
    _, table = csv_rows.read_table(source())
    first = next(table)
    # Then no more than a thousand lines were needed
    assert isinstance(first, RefusedItem)
    assert passed <= 1001


@given(st.lists(st.sampled_from(['"', ",", "x", "\n", '""', '",', ',"', "\r\n"]), max_size=60).map("".join))
@example('"\n"\n"\n')
def test_no_byte_is_lost(content: str) -> None:
    """Whatever the quotes, the rows' bytes together are the file's, but for blank lines."""
    # Given any text below a header, with its lines as a file gives them
    lines = content.splitlines(keepends=True)
    # When it is read as a table
    _, table = csv_rows.read_table(["a,b\n", *lines])
    # Then every line is in one row
    kept = b"".join(row.raw for row in table)
    assert (
        kept.replace(b"\r", b"").replace(b"\n", b"") == "".join(lines).replace("\r", "").replace("\n", "").encode()
    )


def test_rows_of_a_legacy_encoding_keep_their_bytes() -> None:
    """A byte that the encoding has no character for is refused alone."""
    # Given cp1252 by the mapping, with one byte that is undefined in it
    file = text.TextFile(stream(b"a,b\n1,caf\xe9\n2,\x81\n"), "cp1252")
    # When the table is read
    good, refused = csv_rows.read_table(file, encoding=file.encoding)[1]
    # Then the good row reads as meant
    assert isinstance(good, Row)
    assert (good.cells, good.raw) == (["1", "café"], b"1,caf\xe9\n")
    assert isinstance(refused, RefusedItem)
    assert (refused.raw, refused.reason.code) == (b"2,\x81\n", "WRONG_ENCODING")


def test_a_header_that_is_not_in_the_encoding() -> None:
    """Its names would never be found."""
    with pytest.raises(SetupError, match="say the file's encoding in the mapping"):
        csv_rows.read_table(csv_rows.lines(stream(b"S\xe4ule,b\n")))
