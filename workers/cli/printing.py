"""What commands print: tables for people, JSON for programs."""

import json
from datetime import datetime
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workers.runtime.escaping import visible


def print_json(value: Any) -> None:
    """The value as JSON, indented."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_as_text).decode())


def _as_text(value: Any) -> Any:
    return json.loads(value) if isinstance(value, bytes | bytearray) else str(value)


def add_row(table: Table, *cells: object) -> None:
    """A row as it is: what comes from outside holds no markup for us and no commands for the terminal."""
    table.add_row(*(Text(visible(cell)) for cell in cells))


def counted(rows: list[dict[str, Any]], what: str, limit: int) -> str:
    """How many rows there are, or that there may be more."""
    return f"{len(rows)} {what}" if len(rows) < limit else f"the latest {limit} {what}; --limit shows more"


def print_table(table: Table, footer: str) -> None:
    """The table, as wide as the terminal or 160 columns, and a line below it."""
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    console.print(footer, style="dim")


def minute(moment: datetime) -> str:
    """The moment to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}"
