"""Files are understood by their first bytes, their header and their mapping, or the error says what they are."""

import gzip
import io
from pathlib import Path

import pytest

from domain.errors import FileDamaged, SetupError
from ingest.files.items import RefusedItem
from ingest.tables.csv_rows import Row
from ingest.tables.layout import Layout, open_table

HEADER = "spot_id;session_id;started_at;site\n"
ROW = "S1;9;2025-01-01T10:00:00Z;Café\n"


def understood(content: bytes, mapping: str | None = None) -> tuple[Layout, list[Row | RefusedItem]]:
    layout, rows = open_table(io.BufferedReader(io.BytesIO(content)), "sessions", mapping)
    return layout, list(rows)


@pytest.fixture
def a_mapping(tmp_path: Path) -> str:
    """A mapping that tells another encoding and another delimiter."""
    file = tmp_path / "own.yaml"
    file.write_text(
        "name: own\nrecord: sessions\ncolumns: {Nr: session_id, Säule: spot_id}\n"
        "encoding: cp1252\ndelimiter: ':'\n",
        "utf-8",
    )
    return str(file)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ((HEADER + ROW).encode(), "text, UTF-8, cells between semicolons"),
        ((HEADER + ROW).encode("utf-8-sig"), "text, UTF-8, cells between semicolons"),
        (("\ufeff" + HEADER + ROW).encode("utf-16-le"), "text, UTF-16-LE, cells between semicolons"),
        (("\ufeff" + HEADER + ROW).encode("utf-16-be"), "text, UTF-16-BE, cells between semicolons"),
        (gzip.compress((HEADER + ROW).encode(), mtime=0), "text, UTF-8, cells between semicolons, gzip"),
        (("\r\n" + HEADER + ROW).replace(";", "\t").encode(), "text, UTF-8, cells between tabs"),
    ],
)
def test_the_form_is_detected_by_the_file(content: bytes, form: str) -> None:
    """Marks, packing and delimiters need no telling, and bytes come back as they were."""
    layout, [row] = understood(content)
    assert layout.form == form
    assert isinstance(row, Row)
    assert row.cells[3] == "Café"
    assert row.raw in (gzip.decompress(content) if "gzip" in form else content)


def test_what_the_mapping_tells(a_mapping: str) -> None:
    """An encoding without a byte order mark is stated, not guessed."""
    layout, [row] = understood("Nr:Säule:Ort\n9:Süd 1:Köln\n".encode("cp1252"), a_mapping)
    assert layout.form == "text, CP1252, cells between ':'s"
    assert (layout.fields, layout.unused) == ({"Nr": "session_id", "Säule": "spot_id"}, ["Ort"])
    assert isinstance(row, Row)
    assert (row.cells, row.raw) == (["9", "Süd 1", "Köln"], "9:Süd 1:Köln\n".encode("cp1252"))


def test_a_header_whose_names_hold_other_delimiters() -> None:
    """The one between the columns that the mapping knows counts, not the one that is there most often."""
    layout, _ = understood(b"spot_id;session_id;started_at;notes (a, b, c, d, e)\n")
    assert layout.header == ["spot_id", "session_id", "started_at", "notes (a, b, c, d, e)"]


def test_a_mark_in_the_file_outdoes_the_mapping(a_mapping: str) -> None:
    """The program that wrote it knows."""
    layout, _ = understood("Nr:Säule\n9:Süd\n".encode("utf-8-sig"), a_mapping)
    assert layout.form.startswith("text, UTF-8")


def test_columns_that_the_mapping_has_and_the_file_has_not() -> None:
    """They are reported, for they may be misspelt."""
    layout, _ = understood((HEADER + ROW).encode())
    assert "energy_kwh" in layout.absent
    assert layout.mapping.name == "sessions"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ((HEADER + ROW).encode("utf-16-le"), "no text in UTF-8. If it is UTF-16 without a mark, say so"),
        (b"BZh91AY&SY", "no text but packed by bzip2"),
        (b"\xfd7zXZ\x00", "no text but packed by xz"),
        (b"\x28\xb5\x2f\xfdabc", "no text but packed by zstd"),
        (b"%PDF-1.7", "no text but a PDF"),
        (gzip.compress(b"PK\x03\x04abc", mtime=0), "no text but a zip archive or an Excel workbook"),
        (b"", "The file is empty"),
        ("Säule;b\n".encode("cp1252"), "The first line is no utf-8; say the file's encoding in the mapping"),
    ],
)
def test_what_is_no_table(content: bytes, sentence: str) -> None:
    """The error says what it is instead, or what would help."""
    with pytest.raises(SetupError, match=sentence):
        understood(content)


def test_a_utf16_file_that_ends_within_a_character() -> None:
    """The rows before come; then the error says why there are no more."""
    content = ("\ufeff" + HEADER + ROW * 3).encode("utf-16-le")
    _, rows = open_table(io.BufferedReader(io.BytesIO(content[:-1])), "sessions", None)
    with pytest.raises(FileDamaged, match="no utf-16-le from some place on"):
        list(rows)


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b", b"\x1f\x8b\x08\x00garbage", gzip.compress(HEADER.encode(), mtime=0)[:12]]
)
def test_gzip_that_is_damaged_from_its_beginning(content: bytes) -> None:
    """There is nothing to import."""
    with pytest.raises(FileDamaged, match="damaged"):
        understood(content)
