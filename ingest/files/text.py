"""Text files: compressed or not, in their own encoding or that of their mapping."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Final

from domain.errors import FileDamaged, SetupError

_GZIP_MAGIC: Final = b"\x1f\x8b"
_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_NO_TEXT: Final = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "Parquet",
    b"BZh": "packed by bzip2",
    b"\xfd7zXZ": "packed by xz",
    b"\x28\xb5\x2f\xfd": "packed by zstd",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"%PDF": "a PDF",
}


class TextFile:
    """Opens a text file or standard input, detecting compression and encoding.

    `encoding` is that of the file's byte order mark, else the given one, else UTF-8; `packed` says that it is
    gzip. Raises `SetupError` for what is no text, `FileDamaged` for compressed data that is damaged from the
    start.
    """

    def __init__(self, stream: io.BufferedReader, encoding: str | None = None) -> None:
        self.packed = stream.peek(2)[:2] == _GZIP_MAGIC
        self._stream = io.BufferedReader(gzip.GzipFile(fileobj=stream)) if self.packed else stream
        with _damage_errors():
            first = self._stream.peek(8)[:8]
        self._mark = next((mark for mark in _MARKS if first.startswith(mark)), b"")
        self.encoding = _MARKS[self._mark] if self._mark else _without_mark(encoding or "utf-8")
        _demand_text(first, self.encoding)

    def __iter__(self) -> Iterator[str]:
        """Yields the lines, with their line ends.

        Undecodable bytes pass as surrogates, so that only the row that holds them is refused, byte for byte.
        Raises `FileDamaged` where compressed data is damaged or the file ends within a character.
        """
        with _damage_errors():
            self._stream.read(len(self._mark))
            yield from io.TextIOWrapper(self._stream, self.encoding, _passing(self.encoding), newline="")


class _damage_errors:  # noqa: N801
    """Converts errors of decompression and decoding into `FileDamaged`."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (EOFError, zlib.error, gzip.BadGzipFile)):
            raise FileDamaged(f"The compressed file is damaged: {error}. Fetch it again.") from error
        if isinstance(error, UnicodeDecodeError):
            raise FileDamaged(f"The file is no {error.encoding} from some place on: {error.reason}.") from error


def original_bytes(text: str, encoding: str = "utf-8") -> bytes:
    """Encodes a decoded text into its original bytes."""
    return text.encode(encoding, _passing(encoding))


def _without_mark(encoding: str) -> str:
    """Returns the canonical name of an encoding, without a byte order mark."""
    name = codecs.lookup(encoding).name
    return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(name, name)


def _passing(encoding: str) -> str:
    """Returns the error handler that preserves undecodable bytes both ways."""
    return "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"


def _demand_text(first: bytes, encoding: str) -> None:
    for magic, what in _NO_TEXT.items():
        if first.startswith(magic):
            raise SetupError(f"The file is no text but {what}; unpack it or save it as CSV.")
    if b"\0" in first and not encoding.startswith("utf-16"):
        raise SetupError(
            "The file is no text in UTF-8. If it is UTF-16 without a mark, say so in the mapping:"
            " encoding: utf-16-le (or utf-16-be)."
        )
