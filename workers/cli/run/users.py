"""Commands for users and programs: name, role, API token."""

import secrets
from typing import Annotated

import orjson
import typer

from domain.errors import SetupError
from domain.policy.roles import ROLES
from workers.cli.application import existing, opened, os_user
from workers.cli.options import DataOption, JsonOption

users = typer.Typer(help="Users and programs with their API tokens.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(users, name="users")


@users.command()
def add(
    name: Annotated[str, typer.Argument(help="The name, as the audit log will show it.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")],
    data: DataOption = None,
) -> None:
    """Add a user, or replace the token and role of one; print the token once."""
    if role not in ROLES:
        raise SetupError(f"The role {role!r} is unknown; there are {', '.join(ROLES)}.")
    if not name.isprintable() or not 0 < len(name) <= 256:
        raise SetupError("A name has 1 to 256 printable characters.")
    token = secrets.token_urlsafe(24)
    with opened(data) as app:
        app.people.tokens.put(name, role, token, os_user())
    typer.echo(token)


@users.command("list")
def list_users(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List users with their roles; never their tokens."""
    with existing(data) as app:
        rows = app.people.tokens.listed()
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    for row in rows:
        ended = f"  disabled {row['disabled_at']:%Y-%m-%d %H:%M}" if row["disabled_at"] else ""
        typer.echo(f"{row['name']:<24} {row['role']:<10} since {row['created_at']:%Y-%m-%d %H:%M}{ended}")


@users.command()
def disable(name: str, data: DataOption = None) -> None:
    """Disable a user's token; exit 1 if there is no such user."""
    with existing(data) as app:
        app.people.tokens.disable(name, os_user())
    typer.echo(f"{name} is disabled.")
