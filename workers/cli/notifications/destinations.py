"""Commands for destinations; running processes learn of changes within seconds."""

import getpass
import sys
from typing import Annotated, Any

import typer

from adapters.apprise.urls import shown
from workers.cli.application import existing, opened
from workers.cli.options import DataOption, JsonOption
from workers.cli.printing import minute, print_json
from workers.runtime.escaping import escaped

destinations = typer.Typer(help="Destinations of notifications: Apprise URLs by name.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The name by which the policy refers to it.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(destinations, name="destinations")


@destinations.command()
def add(
    name: NameArgument,
    url: Annotated[
        str | None, typer.Argument(help="The Apprise URL; prompted for, or read from standard input, if omitted.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Add a destination, or give one a new URL.

    A URL that is not given as an argument stays out of the shell's history.
    """
    url = url if url is not None else _asked()
    with opened(data) as app:
        app.notifications.destinations.add(name, url, _who())
    typer.echo(f"{name} is {shown(url)}.")


@destinations.command("list")
def list_destinations(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List destinations with their schema and host; never their secrets."""
    with existing(data) as app:
        rows = app.notifications.destinations.listed()
    if as_json:
        return print_json(rows)
    for row in rows:
        typer.echo(escaped(f"{row['name']:<24} {row['shown']:<32} {_life(row)}"))
    return None


@destinations.command()
def remove(name: NameArgument, data: DataOption = None) -> None:
    """Remove a destination and forget its URL; exit 1 if there is none.

    Only destinations that were added by command can be removed.
    """
    with existing(data) as app:
        named = app.notifications.destinations.remove(name, _who())
    typer.echo(f"{name} is removed.")
    if named:
        typer.echo(f"The policy still names {name}: nothing starts until it is there again, or unnamed.", err=True)


@destinations.command("test")
def send_test(name: NameArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Send a test message; exit 1 if it was not delivered."""
    with existing(data) as app:
        outcome = app.notifications.destinations.test(name, _who())
    if as_json:
        print_json({"destination": name, "status": outcome.status, "answer": outcome.answer})
    else:
        typer.echo(escaped(f"{name}: {outcome.status} ({outcome.answer})"))
    if not outcome.sent:
        raise typer.Exit(1)


def _asked() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("URL", hide_input=True)).strip()
    return sys.stdin.readline().strip()


def _life(row: dict[str, Any]) -> str:
    if "added_at" not in row:
        return f"by {row['added_by']}"
    ended = f", removed {minute(row['removed_at'])} by {row['removed_by']}" if row["removed_at"] else ""
    return f"added {minute(row['added_at'])} by {row['added_by']}{ended}"


def _who() -> str:
    return f"cli:{getpass.getuser()}"
