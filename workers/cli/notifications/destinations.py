"""Commands for where people are told: whoever runs already knows of what is added or removed within seconds."""

import getpass
import sys
from typing import Annotated, Any

import typer

from adapters.apprise.urls import shown
from workers.cli.application import DataOption, JsonOption, existing, opened
from workers.cli.printing import minute, print_json
from workers.runtime.escaping import visible

destinations = typer.Typer(help="Where people are told: Apprise URLs by name.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The name that the policy knows it by.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(destinations, name="destinations")


@destinations.command()
def add(
    name: NameArgument,
    url: Annotated[str | None, typer.Argument(help="Asked for, or read from standard input, if none.")] = None,
    data: DataOption = None,
) -> None:
    """Add a destination, or give one a new URL; a URL that is not an argument stays out of the shell's history."""
    url = url if url is not None else _asked()
    with opened(data, destinations_known=False) as app:
        app.destinations.add(name, url, _who())
    typer.echo(f"{name} is {shown(url)}.")


@destinations.command("list")
def list_destinations(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List destinations with their schema and host; never their secrets."""
    with existing(data, destinations_known=False) as app:
        rows = app.destinations.listed()
    if as_json:
        return print_json(rows)
    for row in rows:
        typer.echo(visible(f"{row['name']:<24} {row['shown']:<32} {_life(row)}"))
    return None


@destinations.command()
def remove(name: NameArgument, data: DataOption = None) -> None:
    """Remove a destination and forget its URL; exit 1 if there is none that was added by command."""
    with existing(data, destinations_known=False) as app:
        named = app.destinations.remove(name, _who())
    typer.echo(f"{name} is removed.")
    if named:
        typer.echo(f"The policy still names {name}: nothing starts until it is there again, or unnamed.", err=True)


@destinations.command("test")
def send_test(name: NameArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Send one message that says it is a test; exit 1 if it was not taken."""
    with existing(data, destinations_known=False) as app:
        outcome = app.destinations.test(name)
    if as_json:
        print_json({"destination": name, "status": outcome.status, "answer": outcome.answer})
    else:
        typer.echo(visible(f"{name}: {outcome.status} ({outcome.answer})"))
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
