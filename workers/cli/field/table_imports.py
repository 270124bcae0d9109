"""`spotclaim import sessions`, `spots` and `faults`: tables, tried or brought in."""

from collections.abc import Callable
from typing import Annotated, Final

import orjson
import typer

from ingest.tables import dry_run as trial
from ingest.tables.mapping import Record
from ingest.tables.reader import Table
from workers.bootstrap import utc_now
from workers.cli.application import DataOption, JsonOption
from workers.cli.field import dry_run_view as trial_report
from workers.cli.field.importing import FileArgument, bring_in, stream_of

MappingOption = Annotated[
    str | None, typer.Option("--mapping", help="A built-in mapping or a YAML file; found by the header if unset.")
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Tell how the file is understood and what would be refused; write nothing."),
]

_HELP: Final[dict[Record, str]] = {
    "sessions": "A table of charging sessions: CSV and its kin, Excel, Parquet.",
    "spots": "A table of spots.",
    "faults": "A table of faults, in the codes of any taxonomy.",
}


def add_to(imports: typer.Typer) -> None:
    """Adds a command for each kind of table."""
    for record, told in _HELP.items():
        imports.command(record, help=told)(_command(record))


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
                bring_in(data, table.items(), "rows", as_json, table.survey.warnings)

    return import_table


def _try_out(table: Table, as_json: bool) -> None:
    tried = trial.try_out(table, utc_now)
    if as_json:
        typer.echo(orjson.dumps(trial.as_json(table, tried)))
    else:
        for line in trial_report.lines(table, tried):
            typer.echo(line)
    if tried.refused or tried.damaged:
        raise typer.Exit(1)
