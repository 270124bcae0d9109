"""Reads Excel workbooks and Parquet files. Their libraries come with the extra `spotclaim[tables]`."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from domain.errors import MalformedMessage, SetupError
from ingest.files.items import RefusedItem
from ingest.tables.cells import words
from ingest.tables.csv_rows import Row

_EXCEL, _PARQUET = "Excel", "Parquet"
FORMS: Final = (_EXCEL, _PARQUET)
_MAGICS: Final = {b"PK\x03\x04": _EXCEL, b"\xd0\xcf\x11\xe0": _EXCEL, b"PAR1": _PARQUET}

_Cells = Sequence[Any]


def form_of(stream: io.BufferedReader) -> str | None:
    """Returns Excel or Parquet by the file's first bytes; None for what may be text."""
    return _MAGICS.get(stream.peek(4)[:4])


def read_sheet(
    stream: io.BufferedReader, form: str, sheet: str | None = None
) -> tuple[list[str], Iterator[Row | RefusedItem]]:
    """Reads the header and the rows below it, numbered as in the sheet.

    Empty rows are skipped. Dates and numbers come as such. `sheet` is one of a workbook, the first if None. Raises
    `SetupError` for a file that its library refuses, and while the library is not installed.
    """
    content = io.BytesIO(stream.read())
    try:
        numbered = enumerate(_READERS[form](content, sheet), 1)
    except ImportError as error:
        raise SetupError(
            f"{form} files need the extra `tables`, for {error.name} is not installed:"
            " pip install 'spotclaim[tables]'."
        ) from None
    filled = ((number, cells) for number, cells in numbered if not all(cell in ("", None) for cell in cells))
    _, first = next(filled, (0, None))
    if first is None:
        raise SetupError("The sheet is empty; its first row must name the columns.")
    header = [words(cell).strip() if cell is not None else "" for cell in first]
    return header, (_row(number, cells, header) for number, cells in filled)


def _row(number: int, cells: _Cells, header: list[str]) -> Row | RefusedItem:
    row = ["" if cell is None else str(cell) if isinstance(cell, timedelta) else cell for cell in cells]
    named_cells = [
        [column, cell if isinstance(cell, int | float) else words(cell)]
        for column, cell in zip(header, row, strict=False)
    ]
    content = json.dumps(named_cells, ensure_ascii=False)
    if any("\0" in cell for cell in row if isinstance(cell, str)):
        sentence = "The row contains U+0000, which no database text can hold."
        return RefusedItem(content.encode(), MalformedMessage("NUL_CHARACTER", sentence), number)
    return Row(row, number, content)


def _excel(content: io.BytesIO, sheet: str | None) -> Iterable[_Cells]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_filelike(content)
        if sheet is not None and sheet not in workbook.sheet_names:
            raise SetupError(f"The workbook has no sheet {sheet!r}; it has {', '.join(workbook.sheet_names)}.")
        name = sheet or next(iter(workbook.sheet_names))
        return workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise SetupError(f"The file is no Excel workbook that can be read: {error}.") from None


def _parquet(content: io.BytesIO, _sheet: str | None) -> Iterable[_Cells]:
    import polars

    try:
        frame = polars.read_parquet(content)
    except polars.exceptions.PolarsError as error:
        raise SetupError(f"The file is no Parquet that can be read: {' '.join(str(error).split())}.") from None
    return _with_header(frame.columns, frame.iter_rows(buffer_size=4096))


def _with_header(header: _Cells, rows: Iterable[_Cells]) -> Iterator[_Cells]:
    yield header
    yield from rows


_READERS: Final[dict[str, Callable[[io.BytesIO, str | None], Iterable[_Cells]]]] = {
    _EXCEL: _excel,
    _PARQUET: _parquet,
}
