"""Detects a table's layout before its first row: form, header and mapping."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from domain.errors import SetupError
from ingest.files.items import RefusedItem
from ingest.files.text import TextFile
from ingest.tables import column_names, csv_rows, mapping, sheets
from ingest.tables.csv_rows import Row
from ingest.tables.mapping import FIELDS, Record, TableMapping

_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of a file from its first bytes, its header and its mapping."""

    form: str
    mapping: TableMapping
    header: list[str]

    @property
    def is_text(self) -> bool:
        """Tells whether every cell is text; a sheet's need not be."""
        return self.form not in sheets.FORMS

    @property
    def columns(self) -> list[tuple[list[str], str]]:
        """Returns what is read, in the file's order: columns with the field they give.

        Two columns for a date and its time.
        """
        there = set(self.header)
        read = [(self.mapping.parts(column), field) for column, field in self.mapping.columns.items()]
        present = [each for each in read if there.issuperset(each[0])]
        return sorted(present, key=lambda each: self.header.index(each[0][0]))

    @property
    def fields(self) -> dict[str, str]:
        """Returns the field of each column that is read."""
        return {" + ".join(parts): field for parts, field in self.columns}

    @property
    def unused(self) -> list[str]:
        """Returns the file's columns that are not read."""
        return [column for column in self.header if column not in self.mapping.sources]

    @property
    def absent(self) -> list[str]:
        """Returns the mapping's columns that the file lacks."""
        return [
            column for column in self.mapping.columns if not set(self.mapping.parts(column)) <= set(self.header)
        ]


def open_table(
    stream: io.BufferedReader, record: Record, mapping_name: str | None
) -> tuple[Layout, Iterator[Row | RefusedItem]]:
    """Opens a file and returns its layout and its rows.

    Raises `SetupError`, and `FileDamaged` where its beginning is damaged.
    """
    named = None if mapping_name is None else mapping.load(mapping_name)
    if named is not None and named.record != record:
        raise SetupError(f"Mapping {named.name} reads {named.record}, not {record}.")
    form = sheets.form_of(stream)
    if form is not None:
        header, table = sheets.read_sheet(stream, form, named.sheet if named else None)
    else:
        form, header, table = _text(stream, record, named)
    layout = Layout(form, named or mapping.choose(record, header), header)
    _demand_columns(layout)
    return layout, table


def _text(
    stream: io.BufferedReader, record: Record, named: TableMapping | None
) -> tuple[str, list[str], Iterator[Row | RefusedItem]]:
    file = TextFile(stream, named.encoding if named else None)
    lines = iter(file)
    leading = _through_header(lines)
    header_line = leading[-1] if leading else ""
    delimiter = (named and named.delimiter) or _delimiter(header_line, record, named)
    header, table = csv_rows.read_table(chain(leading, lines), delimiter, file.encoding)
    parts = ("text", file.encoding.upper(), f"cells between {_DELIMITERS.get(delimiter, repr(delimiter))}s")
    return ", ".join((*parts, "gzip") if file.packed else parts), header, table


def _through_header(lines: Iterator[str]) -> list[str]:
    """Returns blank lines, and the first other one."""
    leading: list[str] = []
    for line in lines:
        leading.append(line)
        if line.strip():
            break
    return leading


def _delimiter(line: str, record: Record, named: TableMapping | None) -> str:
    """Returns the delimiter that finds most of the mapping's columns, or most columns at all."""
    known = {column for each in ([named] if named else mapping.candidates_for(record)) for column in each.sources}

    def merit(delimiter: str) -> tuple[int, int]:
        header, _ = csv_rows.read_table([line], delimiter)
        return len(known & set(header)), len(header)

    return max(_DELIMITERS, key=merit) if line.strip() else ","


def _demand_columns(layout: Layout) -> None:
    by, header = layout.mapping, layout.header
    if missing := by.missing_columns(header):
        raise SetupError(
            f"The file lacks the columns {', '.join(missing)} of mapping {by.name}."
            f" {column_names.suggestion(header, FIELDS[by.record])}"
        )
    if twice := [part for parts, _ in layout.columns for part in parts if header.count(part) > 1]:
        raise SetupError(f"The file has more than one column {twice[0]}.")
