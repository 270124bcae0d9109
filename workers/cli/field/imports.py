"""`spotclaim import`: files of other systems become messages, every row accounted for."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from ingest.files import json_documents
from ingest.ocpi.reader import KINDS, Hints, Partner
from ingest.ocpp.reader import read_log
from ingest.tables import csv_rows
from workers.cli.field import table_imports
from workers.cli.field.importing import FileArgument, bring_in, stream_of
from workers.cli.options import DataOption, JsonOption
from workers.runtime.escaping import escaped

StationOption = Annotated[
    str | None, typer.Option("--station", help="The station of the frames, if the log does not name it.")
]
_MOST_ACTIONS = 12

imports = typer.Typer(help="Import files of other systems.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    table_imports.add_to(imports)
    app.add_typer(imports, name="import")


@imports.command("ocpp")
def import_ocpp(
    file: FileArgument, data: DataOption = None, station: StationOption = None, as_json: JsonOption = False
) -> None:
    """Import a message log of OCPP 1.6, 2.0.1 or 2.1. It gives faults, reservations, transactions and stations."""
    ignored = Counter[str]()
    with stream_of(file) as stream:
        bring_in(data, read_log(csv_rows.lines(stream), station, ignored), "frame", as_json)
    if not as_json:
        _print_ignored(ignored)


@imports.command("ocpi")
def import_ocpi(
    files: Annotated[
        list[Path], typer.Argument(help="The files, gzip or not; - for standard input.", allow_dash=True)
    ],
    data: DataOption = None,
    kind: Annotated[
        str | None,
        typer.Option(help=f"The kind of the objects, if their fields do not show it: {', '.join(KINDS)}."),
    ] = None,
    party: Annotated[str | None, typer.Option(help="The party of objects that name none, like BE*BEC.")] = None,
    url: Annotated[
        str, typer.Option(help="The URL they were sent to, if only that names the session: …/sessions/BE/BEC/101.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Import OCPI 2.2.1 or 2.1.1: locations, sessions, patches, CDRs, commands, bookings.

    Objects alone or in lists, one a line or laid out, in OCPI's envelope, or in records of requests such as
    {"method": "PATCH", "url": …, "body": {…}, "timestamp": …}.
    """
    partner = Partner(Hints(kind, party, url))
    bring_in(data, partner.items(map(_content, files)), "object", as_json)
    if not as_json:
        _print_ignored(partner.ignored)


def _print_ignored(ignored: Counter[str]) -> None:
    if ignored:
        counts = ", ".join(f"{escaped(name)} {count:,}" for name, count in ignored.most_common(_MOST_ACTIONS))
        typer.echo(f"Without anything: {counts}.")


def _content(file: Path) -> bytes:
    with stream_of(file) as stream:
        return json_documents.read(csv_rows.lines(stream))
