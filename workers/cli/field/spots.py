"""Commands for spots: the public keys of their meters, against which signed meter values are verified."""

from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.ocmf.public_key import MOST_BYTES, read_public_key
from domain.errors import SetupError
from workers.cli.application import existing, os_user
from workers.cli.options import DataOption, JsonOption
from workers.cli.printing import minute, print_json
from workers.roles.carrying_on import carrying_on
from workers.runtime.escaping import escaped

_LONGEST_REASON = 1000
_LONGEST_SPOT = 64

spots = typer.Typer(help="Spots: the public keys of their meters.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(spots, name="spots")


@spots.callback()
def _spots() -> None:
    """Spots: the public keys of their meters."""


@spots.command("key")
def key(
    spot: Annotated[str, typer.Argument(help="The spot's id.")],
    public_key: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|TEXT", help="The key to pin, in place of any: DER, PEM, hexadecimal or base64."
        ),
    ] = None,
    connector: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="The connector, if each has a meter; 0 is the whole spot.")
    ] = 0,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the key that is pinned.")] = False,
    reason: Annotated[str, typer.Option(help="Why it is pinned or removed, and where the key is from.")] = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show, pin or remove the public key of a spot's meter; open claims of the spot are verified again.

    Take the key from the meter's plate or from the authority's register, not from the signed file.
    """
    if public_key is not None or remove:
        _demand(public_key, remove, reason, spot)
    pinned = None if public_key is None else read_public_key(_bytes(public_key))
    with existing(data) as app:
        keys = app.services.meter_keys
        if pinned is not None:
            with carrying_on(app):
                keys.pin(spot, connector, pinned, reason, os_user())
        elif remove:
            with carrying_on(app):
                keys.remove(spot, connector, reason, os_user())
        rows = keys.listed(spot)
    if as_json:
        return print_json(rows)
    for line in (line for row in rows for line in _lines(row)):
        typer.echo(escaped(line))
    if not any(row["removed_at"] is None for row in rows):
        typer.echo(escaped(f"No public key is pinned for {spot}."))
    return None


def _demand(public_key: str | None, remove: bool, reason: str, spot: str) -> None:
    if public_key is not None and remove:
        raise SetupError("Pin a key, which takes the place of the old one, or remove one; not both.")
    if not reason.strip() or len(reason) > _LONGEST_REASON:
        raise SetupError(f"Say why, with --reason, in up to {_LONGEST_REASON:,} characters.")
    if not spot.strip() or len(spot) > _LONGEST_SPOT:
        raise SetupError(f"A spot's id has 1 to {_LONGEST_SPOT} characters.")


def _bytes(public_key: str) -> bytes:
    """Returns what is in the file of this name, or else the text itself."""
    try:
        file = Path(public_key)
        if not file.is_file():
            return public_key.encode("utf-8", "surrogateescape")
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        # The text of a key can be too long for a name.
        return public_key.encode("utf-8", "surrogateescape")


def _lines(row: dict[str, Any]) -> tuple[str, ...]:
    where = f"connector {row['connector_id']}" if row["connector_id"] else "whole spot"
    by = f"pinned {minute(row['pinned_at'])} by {row['pinned_by']}: {row['reason']}"
    if row["removed_at"] is None:
        return f"{where:<12} {row['public_key']}", f"{'':<12} {by}"
    ended = f"removed {minute(row['removed_at'])} by {row['removed_by']}: {row['removed_why']}"
    return (f"{where:<12} …{row['public_key'][-16:]} {by}; {ended}",)
