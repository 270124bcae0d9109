"""Commands for quarantined messages: list, show, replay, discard."""

import getpass
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from domain.errors import Conflict, MalformedMessage, SetupError, SpotclaimError
from domain.field.quarantine import OPEN
from domain.ports.store import Identity
from ingest.api.fields import one_of
from ingest.api.json_forms import ALL, LISTED, found, message_json
from workers.cli.application import existing
from workers.cli.options import DataOption, JsonOption, LimitOption
from workers.cli.printing import add_row, counted, minute, print_json, print_table
from workers.roles.carrying_on import carrying_on
from workers.runtime.escaping import escaped

_LAYOUT = "\n\t"
_APART = ("body", "body_base64", "edited", "edited_base64", "decoded")

quarantine = typer.Typer(help="Quarantined messages: list, show, replay, discard.", no_args_is_help=True)

KeyArgument = Annotated[str, typer.Argument(metavar="ID", help="The message's key, or the beginning of it.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(quarantine, name="quarantine")


def _state(word: str) -> str:
    try:
        return one_of("state", LISTED)(word)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from None


@quarantine.command("list")
def list_quarantine(
    data: DataOption = None,
    state: Annotated[str, typer.Option(help=f"One of {', '.join(LISTED)}.", callback=_state)] = OPEN,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List open quarantined messages, latest first."""
    with existing(data) as app:
        rows = app.queries.reports.list_quarantine(state=None if state == ALL else state, limit=limit)
    if as_json:
        return print_json(rows)
    table = Table("Message", "Reason", "Why", "Door", "Times", "Received", *_settled_columns(state), box=None)
    for row in rows:
        cells = row["key"][:8], row["reason"], row["sentence"], row["door"], row["times"]
        add_row(table, *cells, minute(row["last_received_at"]), *_settled(row, state))
    where = " in quarantine" if state == OPEN else ""
    return print_table(table, counted(rows, limit, f"message{where}", f"messages{where}"))


def _settled_columns(state: str) -> tuple[str, ...]:
    return () if state == OPEN else ("State", "By", "When", "Because")


def _settled(row: dict[str, Any], state: str) -> tuple[str, ...]:
    if state == OPEN:
        return ()
    when = minute(row["settled_at"]) if row["settled_at"] else ""
    return row["state"], row["settled_by"] or "", when, row["settled_why"]


@quarantine.command("show")
def show_quarantined(
    key: KeyArgument,
    data: DataOption = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Print only the original bytes, to save and edit them.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one quarantined message: the reason, its decoded part, its original bytes."""
    with existing(data) as app:
        row = found(app.queries.reports, key)
    if raw:
        sys.stdout.buffer.write(bytes(row["body"]))
        return None
    shown = message_json(row)
    if as_json:
        return print_json(shown)
    for name, value in shown.items():
        if name not in _APART and value not in (None, ""):
            typer.echo(f"{name:>18}  {escaped(value)}")
    if shown["decoded"] is not None:
        _print_part("decoded", orjson.dumps(shown["decoded"], option=orjson.OPT_INDENT_2).decode())
    if shown["edited"] is not None:
        _print_part("as edited for the last replay", shown["edited"])
    return _print_part("as it came", shown["body"])


def _print_part(title: str, text: str) -> None:
    typer.echo(f"\n{title}:\n{escaped(text, keep=_LAYOUT)}")


@quarantine.command("replay")
def replay(
    key: KeyArgument,
    data: DataOption = None,
    file: Annotated[
        Path | None,
        typer.Option(help="The corrected message; - for standard input.", allow_dash=True),
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Edit the message in $VISUAL or $EDITOR first.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Replay a message as it arrived or edited; exit 1 if it is refused again.

    A message that is refused again stays in quarantine.
    """
    if file and edit:
        raise typer.BadParameter("give --file or --edit, not both.")
    with ExitStack() as stack:
        app = stack.enter_context(existing(data))
        row = found(app.queries.reports, key)
        edited = stack.enter_context(_edited(row)) if edit else _read(file) if file else None
        with carrying_on(app):
            new = app.services.quarantine.replay(row["key"], _who(), edited, reason)
    if as_json:
        return print_json({"key": row["key"], "state": "replayed", "new": new})
    known = "" if new else "; it had been taken in before, so nothing changed"
    typer.echo(f"{row['key'][:8]} is replayed{known}.")
    return None


@quarantine.command("discard")
def discard(
    key: KeyArgument,
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Discard a message for good; it stays on record with the reason."""
    if not reason.strip():
        raise typer.BadParameter("--reason: say why.")
    with existing(data) as app:
        row = found(app.queries.reports, key)
        app.services.quarantine.discard(row["key"], _who(), reason.strip())
    if as_json:
        return print_json({"key": row["key"], "state": "discarded"})
    typer.echo(f"{row['key'][:8]} is discarded.")
    return None


def _who() -> Identity:
    """Identifies the user as an admin: whoever can run this command can read the database."""
    return Identity(f"cli:{getpass.getuser()}", "admin")


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.") from None


@contextmanager
def _edited(row: dict[str, Any]) -> Iterator[bytes]:
    """Lets the user edit the message, starting from the last edit."""
    before = bytes(row["body"] if row["edited"] is None else row["edited"])
    folder = tempfile.mkdtemp(prefix="spotclaim-")
    file = Path(folder, f"{row['key'][:8]}.json")
    file.write_bytes(before)
    _edit(file)
    if (after := file.read_bytes()) == before:
        shutil.rmtree(folder)
        raise Conflict("Nothing was edited, so nothing was replayed; without --edit it is replayed as it came.")
    try:
        yield after
    except MalformedMessage:
        # Refused again, it is kept in quarantine as edited.
        shutil.rmtree(folder)
        raise
    except SpotclaimError:
        typer.echo(f"What was edited is in {file}.", err=True)
        raise
    shutil.rmtree(folder)


def _edit(file: Path) -> None:
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        subprocess.run([*command, str(file)], check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"The editor {command[0]} failed: {error}. Set EDITOR, or use --file.") from None
