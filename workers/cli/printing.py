"""Prints tables for people and JSON for programs."""

import json
from datetime import datetime
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.text import count
from workers.runtime.escaping import escaped


def print_json(value: Any) -> None:
    """Prints a value as indented JSON."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_as_text).decode())


def _as_text(value: Any) -> Any:
    return json.loads(value) if isinstance(value, bytes | bytearray) else str(value)


def add_row(table: Table, *cells: object) -> None:
    """Adds a row without markup and without terminal control characters."""
    table.add_row(*(Text(escaped(cell)) for cell in cells))


def counted(rows: list[dict[str, Any]], limit: int, noun: str, plural: str = "") -> str:
    """Formats how many rows there are, or that there may be more."""
    shown = count(len(rows), noun, plural)
    return shown if len(rows) < limit else f"the latest {shown}; --limit shows more"


def print_table(table: Table, footer: str) -> None:
    """Prints a table, as wide as the terminal or 160 columns, and a footer."""
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    console.print(footer, style="dim")


def minute(moment: datetime) -> str:
    """Formats a moment to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}"
