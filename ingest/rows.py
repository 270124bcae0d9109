"""CSV row by row, each with its original text, so that a refused row can be kept as it was."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from domain.errors import MalformedMessage, SetupError
from ingest.items import Refused
from ingest.strict_json import MAX_BYTES

_GZIP_MAGIC: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: as many cells as the header has, and the text they were read from, line ends included."""

    cells: list[str]
    text: str

    @property
    def raw(self) -> bytes:
        """The row's original bytes."""
        return original_bytes(self.text)


def lines(stream: io.BufferedReader) -> Iterator[str]:
    """Lines of a UTF-8 file or of standard input, unpacked where the first bytes say gzip.

    Undecodable bytes pass as surrogates, so that only the row that holds them is refused, byte for byte.
    Raises `SetupError` when the compressed data is damaged or cut short.
    """
    packed = stream.peek(2)[:2] == _GZIP_MAGIC
    try:
        yield from io.TextIOWrapper(
            gzip.GzipFile(fileobj=stream) if packed else stream, "utf-8-sig", "surrogateescape", newline=""
        )
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SetupError(f"The compressed file is damaged: {error}. Fetch it again.") from error


def original_bytes(text: str) -> bytes:
    """The bytes that `lines` decoded to this text."""
    return text.encode("utf-8", "surrogateescape")


def read_table(source: Iterable[str], delimiter: str = ",") -> tuple[list[str], Iterator[Row | Refused]]:
    """The header and the rows below it. Blank lines are no rows.

    Refused are rows with more or fewer cells than the header, with text that no database can hold, or with a
    quotation that never ends. Raises `SetupError` when there is no header.
    """
    # An OCPP message may be as large as any other; the module's own limit is half of that.
    csv.field_size_limit(MAX_BYTES)
    recorded = _Recorded(source)
    reader = csv.reader(recorded, delimiter=delimiter)
    try:
        header = next(filter(None, reader))
    except StopIteration:
        raise SetupError("The file is empty; its first line must name the columns.") from None
    except csv.Error as error:
        raise SetupError(f"The first line is no CSV header: {error}.") from None
    recorded.take()
    return [column.strip() for column in header], _rows(reader, recorded, len(header))


class _Recorded:
    """Passes lines on and remembers those of the row being read."""

    def __init__(self, source: Iterable[str]) -> None:
        self._source = iter(source)
        self._taken: list[str] = []

    def __iter__(self) -> "_Recorded":
        return self

    def __next__(self) -> str:
        line = next(self._source)
        self._taken.append(line)
        return line

    def take(self) -> str:
        text = "".join(self._taken)
        self._taken.clear()
        return text


def _rows(reader: Any, recorded: _Recorded, width: int) -> Iterator[Row | Refused]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            flaw = MalformedMessage("NOT_CSV", f"Not CSV: {error}.")
            yield Refused(original_bytes(recorded.take()), flaw)
            continue
        row = Row(cells, recorded.take())
        if cells:
            reason = _flaw(row, width)
            yield row if reason is None else Refused(row.raw, reason)


def _flaw(row: Row, width: int) -> MalformedMessage | None:
    if len(row.cells) != width:
        sentence = f"The row has {len(row.cells)} cells where the header has {width}."
        return MalformedMessage("WRONG_COLUMNS", sentence)
    if "\0" in row.text:
        return MalformedMessage("NUL_CHARACTER", "The row contains U+0000, which no database text can hold.")
    if not row.text.isascii() and any("\ud800" <= character <= "\udfff" for character in row.text):
        return MalformedMessage("NOT_UTF8", "The row is not UTF-8.")
    return None
