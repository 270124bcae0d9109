"""Reads CSV row by row, with the original text of each, to quarantine refused rows."""

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from domain.errors import MalformedMessage, SetupError
from ingest.cloudevents.strict_json import MAX_BYTES
from ingest.files import text
from ingest.files.items import RefusedItem

# A row of more lines than these has an unclosed quotation.
_MOST_LINES: Final = 1000


@dataclass(slots=True)
class Row:
    """One row: as many cells as the header has, and its original text.

    `number` is the line of the file at which it begins, the first being 1; in a sheet, its row. Cells of text
    files are text; those of sheets may be numbers, dates and so on. The text includes line ends.
    """

    cells: list[Any]
    number: int
    text: str
    encoding: str = "utf-8"

    @property
    def raw(self) -> bytes:
        """Returns the row's original bytes."""
        return text.original_bytes(self.text, self.encoding)


def lines(stream: io.BufferedReader) -> Iterator[str]:
    """Yields the lines of a UTF-8 or UTF-16 file or of standard input, gzip decompressed.

    See `ingest.files.text.TextFile`.
    """
    return iter(text.TextFile(stream))


def original_bytes(line: str) -> bytes:
    """Returns the bytes of a UTF-8 file that `lines` decoded to this text."""
    return text.original_bytes(line)


def read_table(
    source: Iterable[str], delimiter: str = ",", encoding: str = "utf-8"
) -> tuple[list[str], Iterator[Row | RefusedItem]]:
    """Reads the header and the rows below it, without blank lines.

    Refused are rows with more or fewer cells than the header, with text that no database can hold, and lines with
    a quotation that does not end: reading goes on with the line after. Raises `SetupError` without a header.
    """
    # An OCPP message may be as large as any other; the module's own limit is half of that.
    csv.field_size_limit(MAX_BYTES)
    table = _Table(source, delimiter, encoding)
    header = table.header()
    return header, table.rows(len(header))


class _TooManyLines(csv.Error):
    """A row exceeds the limit of lines."""


class _LineRecorder:
    """Records the lines of the current row, so that they can be read again."""

    def __init__(self, source: Iterable[str]) -> None:
        self._source = iter(source)
        self._back: deque[str] = deque()
        self._taken: list[str] = []
        self._number = 1
        self.ended_within = False

    def __iter__(self) -> "_LineRecorder":
        return self

    def __next__(self) -> str:
        if len(self._taken) >= _MOST_LINES:
            raise _TooManyLines(f"the row goes on for more than {_MOST_LINES:,} lines")
        try:
            line = self._back.popleft() if self._back else next(self._source)
        except StopIteration:
            self.ended_within = bool(self._taken)
            raise
        self._taken.append(line)
        return line

    def take(self) -> tuple[int, list[str]]:
        """Returns the number of the row's first line, and its lines."""
        number, taken = self._number, self._taken
        self._number += len(taken)
        self._taken = []
        return number, taken

    def give_back(self, unread: list[str]) -> None:
        self._back.extendleft(reversed(unread))
        self._number -= len(unread)
        self.ended_within = False


class _Table:
    """Reads the rows of one CSV file."""

    def __init__(self, source: Iterable[str], delimiter: str, encoding: str) -> None:
        self._recorded = _LineRecorder(source)
        self._reader = csv.reader(self._recorded, delimiter=delimiter)
        self._delimiter = delimiter
        self._encoding = encoding

    def header(self) -> list[str]:
        try:
            header = next(filter(None, self._reader))
        except StopIteration:
            raise SetupError("The file is empty; its first line must name the columns.") from None
        except csv.Error as error:
            raise SetupError(f"The first line is no CSV header: {error}.") from None
        if not _is_whole("".join(header)):
            raise SetupError(
                f"The first line is no {self._encoding}; say the file's encoding in the mapping, such as"
                " encoding: cp1252."
            )
        self._recorded.take()
        return [column.strip() for column in header]

    def rows(self, width: int) -> Iterator[Row | RefusedItem]:
        recorded, reader = self._recorded, self._reader
        while True:
            try:
                cells, error = next(reader), None
            except StopIteration:
                return
            except csv.Error as flaw:
                cells, error = [], flaw
            number, taken = recorded.take()
            several = len(taken) > 1
            if (several or recorded.ended_within) and (error or self._swallowed(taken, len(cells), width)):
                recorded.give_back(taken[1:])
                yield self._unclosed(number, taken[0])
            elif error:
                yield self._refused(number, taken, MalformedMessage("NOT_CSV", f"Not CSV: {error}."))
            elif cells:
                yield self._row(number, taken, cells, width)

    def _swallowed(self, taken: list[str], cells: int, width: int) -> bool:
        """Tells whether an unclosed quotation consumed lines of other rows."""
        if cells != width:
            return True
        try:
            list(csv.reader(taken, delimiter=self._delimiter, strict=True))
        except csv.Error:
            return True
        return False

    def _unclosed(self, number: int, line: str) -> RefusedItem:
        sentence = f"A quotation opens at line {number} and does not end where it should."
        return self._refused(number, [line], MalformedMessage("UNCLOSED_QUOTE", sentence))

    def _row(self, number: int, taken: list[str], cells: list[str], width: int) -> Row | RefusedItem:
        content = taken[0] if len(taken) == 1 else "".join(taken)
        flaw = _flaw(content, len(cells), width, self._encoding)
        if flaw is not None:
            return self._refused(number, taken, flaw)
        return Row(cells, number, content, self._encoding)

    def _refused(self, number: int, taken: list[str], reason: MalformedMessage) -> RefusedItem:
        return RefusedItem(text.original_bytes("".join(taken), self._encoding), reason, number)


def _flaw(content: str, cells: int, width: int, encoding: str) -> MalformedMessage | None:
    if cells != width:
        return MalformedMessage("WRONG_COLUMNS", f"The row has {cells} cells where the header has {width}.")
    if "\0" in content:
        return MalformedMessage("NUL_CHARACTER", "The row contains U+0000, which no database text can hold.")
    if _is_whole(content):
        return None
    if encoding == "utf-8":
        sentence = "The row is not UTF-8. If the file has another encoding, say so in the mapping."
        return MalformedMessage("NOT_UTF8", sentence)
    return MalformedMessage("WRONG_ENCODING", f"The row is not {encoding}, as which the file is read.")


def _is_whole(content: str) -> bool:
    """Tells whether every byte could be decoded."""
    return content.isascii() or not any("\ud800" <= character <= "\udfff" for character in content)
