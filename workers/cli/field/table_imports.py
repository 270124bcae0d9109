"""`spotclaim import sessions`, `spots` and `faults`: imports tables, or tries them out."""

from collections.abc import Callable
from typing import Annotated, Final

import orjson
import typer

from ingest.tables.dry_run import dry_run_json, try_out
from ingest.tables.mapping import Record
from ingest.tables.reader import Table
from workers.cli.field import dry_run_view
from workers.cli.field.importing import FileArgument, bring_in, stream_of
from workers.cli.options import DataOption, JsonOption
from workers.runtime.clock import utc_now

MappingOption = Annotated[
    str | None,
    typer.Option("--mapping", help="A built-in mapping or a YAML file; by default chosen by the header."),
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Show how the file is understood and what would be refused; write nothing."),
]

_HELP: Final[dict[Record, str]] = {
    "sessions": "Import a table of charging sessions: CSV and the like, Excel, Parquet.",
    "spots": "Import a table of spots.",
    "faults": "Import a table of faults, with codes of any taxonomy.",
}


def add_to(imports: typer.Typer) -> None:
    """Adds a command for each kind of table."""
    for record, text in _HELP.items():
        imports.command(record, help=text)(_command(record))


def _command(record: Record) -> Callable[..., None]:
    def import_table(
        file: FileArgument,
        data: DataOption = None,
        mapping: MappingOption = None,
        dry_run: DryRunOption = False,
        as_json: JsonOption = False,
    ) -> None:
        with stream_of(file) as stream:
            table = Table(stream, record, mapping)
            if dry_run:
                _try_out(table, as_json)
            else:
                bring_in(data, table.items(), "row", as_json, table.survey.warnings)

    return import_table


def _try_out(table: Table, as_json: bool) -> None:
    tried = try_out(table, utc_now)
    if as_json:
        typer.echo(orjson.dumps(dry_run_json(table, tried)))
    else:
        for line in dry_run_view.lines(table, tried):
            typer.echo(line)
    if tried.refused or tried.damaged:
        raise typer.Exit(1)
