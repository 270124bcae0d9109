"""Commands that bring files in."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from domain.intake import Batch
from ingest import wire
from ingest.ledger import Ledger
from ingest.publisher import publish
from workers import roles
from workers.bootstrap import App
from workers.cli.opening import DataOption, opened

FileArgument = Annotated[
    Path, typer.Argument(help="The file; - for standard input.", allow_dash=True, exists=True, dir_okay=False)
]
_BATCH = 500


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("send")(send)


def send(
    file: FileArgument,
    data: DataOption = None,
    ledger: Annotated[Path | None, typer.Option(help="Folder to write down what was sent and confirmed.")] = None,
) -> None:
    """Send CloudEvents: one JSON object, a list of them, or one on each line."""
    bodies = _bodies(file)
    book = Ledger(ledger) if ledger else None
    with opened(data) as app:
        if app.amqp is not None:
            count = publish(app.amqp, bodies, book)
        else:
            with roles.carrying_on(app):
                count = _hand_over(app, bodies, book)
    typer.echo(f"{count:,} messages sent and confirmed.")


def _hand_over(app: App, bodies: Iterable[bytes], book: Ledger | None) -> int:
    """The embedded form has no broker: what is in the database is confirmed."""
    count = 0
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
    return count


def _groups(bodies: Iterable[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    for body in bodies:
        group.append(body)
        if len(group) == _BATCH:
            yield group
            group = []
    if group:
        yield group


def _bodies(file: Path) -> list[bytes]:
    """The messages of a file as they are. What is no JSON as a whole is taken line by line."""
    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError):
        return [line for line in content.splitlines() if line.strip()]
    return [json.dumps(item).encode() for item in whole] if isinstance(whole, list) else [content]
