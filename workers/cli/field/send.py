"""Commands that bring files in."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import SetupError
from domain.field.batch import Batch
from ingest.cloudevents import decode as wire
from ingest.cloudevents import split_array as json_items
from ingest.cloudevents.ledger import Ledger
from ingest.rabbitmq.publisher import publish
from workers import roles
from workers.app import App
from workers.cli.application import DataOption, JsonOption, opened
from workers.cli.printing import print_json

FileArgument = Annotated[Path, typer.Argument(help="The file; - for standard input.", allow_dash=True)]
_BATCH = 500


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("send")(send)


def send(
    file: FileArgument,
    data: DataOption = None,
    ledger: Annotated[Path | None, typer.Option(help="Folder to write down what was sent and confirmed.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Send CloudEvents: one JSON object, a list of them, or one on each line."""
    bodies, refused = bodies_of(file), 0
    book = Ledger(ledger) if ledger else None
    with opened(data) as app:
        if app.amqp is not None:
            count = publish(app.amqp, bodies, book)
        else:
            with roles.carrying_on(app):
                count, refused = _hand_over(app, bodies, book)
    if as_json:
        return print_json({"sent": count, "quarantined": refused})
    quarantined = f" {refused:,} of them went to quarantine." if refused else ""
    typer.echo(f"{count:,} messages sent and confirmed.{quarantined}")
    return None


def _hand_over(app: App, bodies: Iterable[bytes], book: Ledger | None) -> tuple[int, int]:
    """The embedded form has no broker: what is in the database is confirmed.

    Returns how many that are, and how many of them are in quarantine.
    """
    count = refused = 0
    for group in _groups(bodies):
        batch, reception = Batch(), wire.Reception(app.clock(), "send")
        identities = [wire.identify(body) for body in group]
        keys = [identity.key for identity in identities]
        if book:
            book.intend(keys, sorted({identity.source for identity in identities if identity.source}))
        for body in group:
            wire.take_in(batch, body, reception)
        app.hand_over(batch)
        if book:
            book.confirm(keys)
        count += len(group)
        refused += len(batch.quarantined)
    return count, refused


def _groups(bodies: Iterable[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    for body in bodies:
        group.append(body)
        if len(group) == _BATCH:
            yield group
            group = []
    if group:
        yield group


def bodies_of(file: Path) -> list[bytes]:
    """The messages of a file, each byte for byte. What is neither a list nor one object is taken line by line."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.") from None
    items = json_items.split(content)
    return [line for line in content.splitlines() if line.strip()] if items is None else items
