"""Commands for where people are told: whoever runs already knows of what is added or removed within seconds."""

import getpass
import sys
from typing import Annotated, Any

import typer

from adapters.apprise_notifier import demand_usable
from adapters.destination_url import shown
from domain.errors import NotFound, SetupError
from domain.identifiers import new_claim_id
from domain.ports import Message
from workers.bootstrap import DEFAULT_DESTINATIONS as DEFAULT
from workers.bootstrap import App
from workers.cli.opening import DataOption, JsonOption, existing, opened
from workers.cli.printing import minute, print_json
from workers.visible import visible

_LONGEST_NAME = 64

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
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise SetupError(f"A name has 1 to {_LONGEST_NAME} printable characters.")
    url = url if url is not None else _asked()
    with opened(data, destinations_known=False) as app:
        if name in app.settings.destinations:
            raise SetupError(f"SPOTCLAIM_DESTINATIONS names {name} already, and comes first.")
        demand_usable(name, url)
        app.destinations.add(name, url, _who())
    typer.echo(f"{name} is {shown(url)}.")


@destinations.command("list")
def list_destinations(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List destinations with their schema and host; never their secrets."""
    with existing(data, destinations_known=False) as app:
        stored = app.destinations.listed()
        rows = _from_settings(app, stored) + stored
    if as_json:
        return print_json(rows)
    for row in rows:
        typer.echo(visible(f"{row['name']:<24} {row['shown']:<32} {_life(row)}"))
    return None


@destinations.command()
def remove(name: NameArgument, data: DataOption = None) -> None:
    """Remove a destination and forget its URL; exit 1 if there is none that was added by command."""
    with existing(data, destinations_known=False) as app:
        app.destinations.remove(name, _who())
        named = name in app.policy.destinations
    typer.echo(f"{name} is removed.")
    if named:
        typer.echo(f"The policy still names {name}: nothing starts until it is there again, or unnamed.", err=True)


@destinations.command("test")
def send_test(name: NameArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Send one message that says it is a test; exit 1 if it was not taken."""
    with existing(data, destinations_known=False) as app:
        if name not in app.notifier.destinations:
            raise NotFound(f"There is no destination {name}.")
        text = "Somebody tries out where people are told. Nothing happened."
        outcome = app.notifier.send(name, Message(new_claim_id(), "Spotclaim: this is a test", text))
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


def _from_settings(app: App, stored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    urls = {name: url.get_secret_value() for name, url in app.settings.destinations.items()}
    by = "SPOTCLAIM_DESTINATIONS"
    if not urls:
        present = {row["name"] for row in stored if row["removed_at"] is None}
        urls = {name: url for name, url in DEFAULT.items() if name not in present}
        by = "default"
    return [{"name": name, "shown": shown(url), "added_by": by} for name, url in urls.items()]


def _life(row: dict[str, Any]) -> str:
    if "added_at" not in row:
        return f"by {row['added_by']}"
    ended = f", removed {minute(row['removed_at'])} by {row['removed_by']}" if row["removed_at"] else ""
    return f"added {minute(row['added_at'])} by {row['added_by']}{ended}"


def _who() -> str:
    return f"cli:{getpass.getuser()}"
