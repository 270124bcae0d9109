"""Opens, imports and accounts for the file of every `spotclaim import`."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from io import BufferedReader
from pathlib import Path
from typing import Annotated, cast

import orjson
import typer

from domain.errors import SetupError
from domain.text import count
from ingest.files.importer import Importer, ImportTally
from ingest.files.items import Item
from workers.cli.progress import counting
from workers.cli.running import running
from workers.roles.carrying_on import carrying_on
from workers.runtime.escaping import escaped
from workers.runtime.garbage_collection import calm_the_collector

FileArgument = Annotated[
    Path, typer.Argument(help="The file, gzip or not; - for standard input.", allow_dash=True)
]


@contextmanager
def stream_of(file: Path) -> Iterator[BufferedReader]:
    """Opens a file, or standard input. Raises `SetupError`."""
    if str(file) == "-":
        yield cast("BufferedReader", sys.stdin.buffer)
        return
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.") from None


def bring_in(
    data: Path | None,
    items: Iterable[Item],
    unit: str,
    as_json: bool = False,
    warnings: Callable[[], Sequence[str]] = tuple,
) -> None:
    """Imports the items and prints the tally, also where the import breaks off."""
    with running(data) as app, carrying_on(app), counting(unit, "read") as show:

        def progress(tally: ImportTally) -> None:
            show(tally.read, f", {tally.refused:,} in quarantine")

        importer = Importer(app.work.deliver_batch, app.work.known, app.clock, progress)
        calm_the_collector()
        try:
            importer.run(items)
        finally:
            _print_tally(importer.tally, warnings(), unit, as_json)


def _print_tally(tally: ImportTally, warnings: Sequence[str], unit: str, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps({**asdict(tally), "warnings": warnings}))
        return
    for warning in warnings:
        typer.echo(escaped(f"Warning: {warning}"), err=True)
    typer.echo(
        f"{count(tally.read, unit)} read: {tally.accepted:,} accepted, {tally.known:,} already known, "
        f"{tally.refused:,} in quarantine, {tally.ignored:,} without anything for Spotclaim."
    )
