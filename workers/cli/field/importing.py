"""How every `spotclaim import` comes to its file, brings its items in, and tells what became of them."""

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
from ingest.files.importer import Importer, Tally
from ingest.files.items import Item
from workers import roles
from workers.cli.application import opened
from workers.cli.progress import counting
from workers.runtime.escaping import visible
from workers.runtime.garbage_collection import calm_the_collector

FileArgument = Annotated[
    Path, typer.Argument(help="The file, gzip or not; - for standard input.", allow_dash=True)
]


@contextmanager
def stream_of(file: Path) -> Iterator[BufferedReader]:
    """The bytes of a file, or of standard input. Raises `SetupError`."""
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
    """Imports the items; the tally is told where the import breaks off, too."""
    with opened(data) as app, roles.carrying_on(app), counting(f"{unit} read") as count:

        def progress(tally: Tally) -> None:
            count(tally.read, f", {tally.refused:,} in quarantine")

        importer = Importer(app.hand_over, app.known, app.clock, progress)
        calm_the_collector()
        try:
            importer.run(items)
        finally:
            _tell(importer.tally, warnings(), unit, as_json)


def _tell(tally: Tally, warnings: Sequence[str], unit: str, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps({**asdict(tally), "warnings": warnings}))
        return
    for warning in warnings:
        typer.echo(visible(f"Warning: {warning}"), err=True)
    typer.echo(
        f"{tally.read:,} {unit} read: {tally.accepted:,} accepted, {tally.known:,} already known, "
        f"{tally.refused:,} in quarantine, {tally.ignored:,} without anything for Spotclaim."
    )
