"""Commands for silences and maintenance windows, which mute notifications."""

import getpass
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from domain.identifiers import new_claim_id
from domain.notifications.silence import Silence
from domain.policy.error_codes import CLAIM_TYPES
from domain.policy.policy import SEVERITIES
from domain.text import count
from workers.cli.application import existing
from workers.cli.options import DataOption, JsonOption
from workers.cli.printing import add_row, minute, print_json, print_table

silences = typer.Typer(help="Silences and maintenance windows.", no_args_is_help=True)

_LONGEST_HOURS = 24 * 366
_CONDITIONS = ("codes", "severities", "claim_types", "zones", "destinations")


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(silences, name="silences")


def _each_of(known: Sequence[str]) -> Callable[[list[str]], list[str]]:
    def demand(given: list[str]) -> list[str]:
        if unknown := [word for word in given if word not in known]:
            raise typer.BadParameter(f"{unknown[0]} is unknown; there are {', '.join(known)}.")
        return given

    return demand


def _moment(given: datetime | None) -> datetime | None:
    return None if given is None else given.replace(tzinfo=UTC)


@silences.command("add")
def add(
    why: Annotated[str, typer.Option(help="Why, for the record.")],
    data: DataOption = None,
    begin: Annotated[datetime | None, typer.Option("--from", help="From when (UTC); now by default.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Until when (UTC), unless --hours is given.")] = None,
    hours: Annotated[
        float | None, typer.Option(min=0.01, max=_LONGEST_HOURS, help="For how many hours, instead of --until.")
    ] = None,
    code: Annotated[
        list[str],
        typer.Option(help="Only this error code; may be repeated.", callback=_each_of(list(CLAIM_TYPES))),
    ] = [],  # noqa: B006
    severity: Annotated[
        list[str], typer.Option(help="Only this severity; may be repeated.", callback=_each_of(SEVERITIES))
    ] = [],  # noqa: B006
    claim_type: Annotated[
        list[str],
        typer.Option(
            help="Only this claim type; may be repeated.", callback=_each_of(sorted(set(CLAIM_TYPES.values())))
        ),
    ] = [],  # noqa: B006
    zone: Annotated[list[str], typer.Option(help="Only this zone; may be repeated.")] = [],  # noqa: B006
    destination: Annotated[list[str], typer.Option(help="Only this destination; may be repeated.")] = [],  # noqa: B006
    everything: Annotated[bool, typer.Option("--everything", help="Mute all notifications.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Mute notifications that match all conditions for a while; they are still logged."""
    conditions = dict(zip(_CONDITIONS, (code, severity, claim_type, zone, destination), strict=True))
    if not why.strip():
        raise typer.BadParameter("--why: say why.")
    if not any(conditions.values()) and not everything:
        raise typer.BadParameter("say what to silence, such as --zone north, or --everything.")
    with existing(data) as app:
        _each_of(list(app.notifications.notifier.destinations))(destination)
        starts_at = _moment(begin) or app.clock()
        ends_at = _end(starts_at, _moment(until), hours, app.clock())
        matchers = {name: tuple(words) for name, words in conditions.items()}
        made = Silence(new_claim_id(), _who(), why.strip(), starts_at, ends_at, **matchers)
        row = app.notifications.silences.add(made)
    if as_json:
        return print_json(row)
    return typer.echo(f"{row['id'][-8:]} silences {_what(row)} until {minute(row['ends_at'])} UTC.")


def _end(starts_at: datetime, until: datetime | None, hours: float | None, now: datetime) -> datetime:
    if (until is None) == (hours is None):
        raise typer.BadParameter("give --until or --hours, one of the two.")
    ends_at = until if until is not None else starts_at + timedelta(hours=hours or 0)
    if ends_at <= max(starts_at, now):
        raise typer.BadParameter("it would end before it begins.")
    return ends_at


@silences.command("list")
def list_silences(
    data: DataOption = None,
    ended: Annotated[bool, typer.Option("--all", help="Include silences that have ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List current and future silences."""
    with existing(data) as app:
        rows = app.notifications.silences.listed(since=None if ended else app.clock())
    if as_json:
        return print_json(rows)
    table = Table("Silence", "What", "From", "Until", "By", "Why", "Ended by", box=None)
    for row in rows:
        times = minute(row["starts_at"]), minute(row["ends_at"])
        add_row(table, row["id"][-8:], _what(row), *times, row["created_by"], row["why"], row["ended_by"] or "")
    return print_table(table, count(len(rows), "silence"))


@silences.command("end")
def end(
    silence_id: Annotated[
        str, typer.Argument(metavar="ID", help="The silence's id, or its last 6 characters or more.")
    ],
    data: DataOption = None,
) -> None:
    """End a silence early; it stays on record."""
    with existing(data) as app:
        row = app.notifications.silences.end(silence_id, _who(), app.clock())
    typer.echo(f"{row['id'][-8:]} has ended.")


def _what(row: dict[str, Any]) -> str:
    words = [f"{name.replace('_', ' ')} {', '.join(row[name])}" for name in _CONDITIONS if row[name]]
    return "; ".join(words) or "everything"


def _who() -> str:
    return f"cli:{getpass.getuser()}"
