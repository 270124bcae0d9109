"""`spotclaim import`: files of other systems become messages, row by row accounted for."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Annotated, cast

import typer

from domain.errors import SetupError
from ingest import json_documents, rows, tables
from ingest.importer import Tally, run_import
from ingest.items import Item
from ingest.ocpi.reader import KINDS, Hints, Partner
from ingest.ocpp.reader import read_log
from workers import roles
from workers.cli.opening import DataOption, opened
from workers.cli.progress import counting
from workers.visible import visible

FileArgument = Annotated[
    Path, typer.Argument(help="The file, gzip or not; - for standard input.", allow_dash=True)
]
MappingOption = Annotated[
    str | None, typer.Option("--mapping", help="A built-in mapping or a YAML file; found by the header if unset.")
]

StationOption = Annotated[
    str | None, typer.Option("--station", help="Whose frames these are, if the log does not say.")
]
_MOST_ACTIONS = 12

imports = typer.Typer(help="Bring in files of other systems.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(imports, name="import")


@imports.command("ocpp")
def import_ocpp(file: FileArgument, data: DataOption = None, station: StationOption = None) -> None:
    """A message log of OCPP 1.6, 2.0.1 or 2.1: faults, reservations, transactions, stations."""
    ignored = Counter[str]()
    _run(file, data, lambda lines: read_log(lines, station, ignored), "frames")
    _tell_ignored(ignored)


@imports.command("ocpi")
def import_ocpi(
    files: Annotated[
        list[Path], typer.Argument(help="The files, gzip or not; - for standard input.", allow_dash=True)
    ],
    data: DataOption = None,
    kind: Annotated[
        str | None, typer.Option(help=f"What the objects are, if it cannot be told: {', '.join(KINDS)}.")
    ] = None,
    party: Annotated[
        str | None, typer.Option(help="Whose they are where they do not say so, like BE*BEC.")
    ] = None,
    url: Annotated[
        str, typer.Option(help="Where they were sent, if only that names the session: …/sessions/BE/BEC/101.")
    ] = "",
) -> None:
    """OCPI 2.2.1 or 2.1.1: locations, sessions, patches, CDRs, results of reservations, bookings.

    Objects alone or in lists, one a line or laid out, in OCPI's envelope, or in records of requests such as
    {"method": "PATCH", "url": …, "body": {…}, "timestamp": …}.
    """
    partner = Partner(Hints(kind, party, url))
    _import(data, partner.items(map(_content, files)), "objects")
    _tell_ignored(partner.ignored)


def _tell_ignored(ignored: Counter[str]) -> None:
    if ignored:
        counts = ", ".join(f"{visible(name)} {count:,}" for name, count in ignored.most_common(_MOST_ACTIONS))
        typer.echo(f"Without anything: {counts}.")


def _content(file: Path) -> bytes:
    with _stream(file) as stream:
        return json_documents.read(rows.lines(stream))


@imports.command("sessions")
def import_sessions(file: FileArgument, data: DataOption = None, mapping: MappingOption = None) -> None:
    """A CSV of charging sessions."""
    _run(file, data, lambda lines: tables.read_sessions(lines, mapping), "rows")


@imports.command("spots")
def import_spots(file: FileArgument, data: DataOption = None, mapping: MappingOption = None) -> None:
    """A CSV of spots."""
    _run(file, data, lambda lines: tables.read_spots(lines, mapping), "rows")


def _run(file: Path, data: Path | None, read: Callable[[Iterable[str]], Iterator[Item]], unit: str) -> None:
    with _stream(file) as stream:
        _import(data, read(rows.lines(stream)), unit)


def _import(data: Path | None, items: Iterator[Item], unit: str) -> None:
    with opened(data) as app, roles.carrying_on(app), counting(f"{unit} read") as count:

        def progress(tally: Tally) -> None:
            count(tally.read, f", {tally.refused:,} to quarantine")

        tally = run_import(items, app.hand_over, app.clock, progress)
    typer.echo(
        f"{tally.read:,} {unit} read: {tally.accepted:,} accepted, {tally.refused:,} to quarantine, "
        f"{tally.ignored:,} without anything for Spotclaim."
    )


@contextmanager
def _stream(file: Path) -> Iterator[BufferedReader]:
    if str(file) == "-":
        yield cast("BufferedReader", sys.stdin.buffer)
        return
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.") from None
