"""`spotclaim send`: publishes CloudEvents from a file."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import SetupError
from domain.field.batch import Batch
from domain.field.fault import Fault
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from domain.text import count
from ingest.cloudevents import decode, split_array
from ingest.cloudevents.ledger import Ledger
from ingest.cloudevents.unknown_fields import warnings
from ingest.rabbitmq.publisher import publish
from workers.bootstrap.app import App
from workers.cli.options import DataOption, JsonOption
from workers.cli.printing import print_json
from workers.cli.running import running
from workers.roles.carrying_on import carrying_on

FileArgument = Annotated[Path, typer.Argument(help="The file; - for standard input.", allow_dash=True)]
_BATCH = 500
_MOST_WARNINGS = 10


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("send")(send)


def send(
    file: FileArgument,
    data: DataOption = None,
    ledger: Annotated[
        Path | None, typer.Option(help="Folder for a ledger of what was sent and confirmed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Send CloudEvents: one JSON object, a list of them, or one on each line."""
    bodies, refused = bodies_of(file), 0
    book = Ledger(ledger) if ledger else None
    with running(data) as app:
        if app.work.amqp is not None:
            sent = publish(app.work.amqp, bodies, book)
        else:
            with carrying_on(app):
                sent, refused = _deliver(app, bodies, book)
    if as_json:
        return print_json({"sent": sent, "quarantined": refused})
    quarantined = f" {refused:,} of them went to quarantine." if refused else ""
    typer.echo(f"{count(sent, 'message')} sent and confirmed.{quarantined}")
    for sentence, times in _warnings(bodies).most_common(_MOST_WARNINGS):
        typer.echo(f"In {count(times, 'message')}: {sentence}", err=True)
    return None


def _warnings(bodies: Iterable[bytes]) -> Counter[str]:
    """Counts the messages that each warning is about."""
    batch, reception = Batch(), decode.Reception(datetime.now(UTC), "send")
    for body in bodies:
        decode.ingest_message(batch, body, reception)
    messages: Iterable[Fault | UsageRecord | Spot] = chain(batch.faults, batch.usage, batch.spots)
    return Counter(sentence for message in messages for _, sentence in warnings(message.unknown))


def _deliver(app: App, bodies: Iterable[bytes], book: Ledger | None) -> tuple[int, int]:
    """Delivers the messages without a broker; what is in the database is confirmed.

    Returns how many that are, and how many of them are in quarantine.
    """
    count = refused = 0
    for group in _groups(bodies):
        batch, reception = Batch(), decode.Reception(app.clock(), "send")
        identities = [decode.identify(body) for body in group]
        keys = [identity.key for identity in identities]
        if book:
            book.intend(keys, sorted({identity.source for identity in identities if identity.source}))
        for body in group:
            decode.ingest_message(batch, body, reception)
        app.work.deliver_batch(batch)
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
    """Reads the messages of a file, each byte for byte.

    What is neither a list nor one object is read line by line.
    """
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.") from None
    items = split_array.split(content)
    return [line for line in content.splitlines() if line.strip()] if items is None else items
