"""Commands that show claims and what was refused."""

import json
from base64 import b64encode
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.audit import AuditEvent, first_broken, instant
from domain.errors import NotFound
from domain.lifecycle import STATUSES
from workers.cli.opening import DataOption, JsonOption, opened
from workers.cli.timeline import faults_named, story
from workers.visible import visible

_LAYOUT = "\n\t"
LimitOption = Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")]

quarantine = typer.Typer(help="Messages that could not be understood.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("claims")(claims)
    app.command("claim")(claim)
    app.add_typer(quarantine, name="quarantine")


def _status_known(status: str | None) -> str | None:
    if status is not None and status not in STATUSES:
        raise typer.BadParameter(f"there are {', '.join(STATUSES)}.")
    return status


def claims(
    data: DataOption = None,
    status: Annotated[str | None, typer.Option(help="Only claims of this status.", callback=_status_known)] = None,
    spot: Annotated[str | None, typer.Option(help="Only claims of this spot.")] = None,
    code: Annotated[str | None, typer.Option(help="Only claims of this error code.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List claims, newest first."""
    with opened(data) as app:
        rows = app.reports.list_claims(status=status, spot_id=spot, code=code, limit=limit)
    if as_json:
        return _print_json(rows)
    table = Table("Claim", "Spot", "Error", "Severity", "Faults", "First seen", "Last seen", "Status", box=None)
    for row in rows:
        _add(
            table,
            row["id"][-8:],
            _spot(row),
            row["code"],
            row["severity"],
            str(row["fault_count"]),
            _minute(row["first_seen_at"]),
            _minute(row["last_seen_at"]),
            _status(row),
        )
    return _print_table(table, _counted(rows, "claims", limit))


def claim(
    claim_id: Annotated[str, typer.Argument(help="The claim's id, or its last 6 characters or more.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one claim: what happened, when, who did it and why."""
    with opened(data) as app:
        row = app.reports.find_claim(claim_id)
        if row is None:
            raise NotFound(f"No claim ends with {claim_id}, or more than one does.")
        events = app.reports.claim_events(row["id"])
        faults = app.reports.list_faults([key for event in events for key in faults_named(event)])
        deliveries = app.reports.list_deliveries(claim_id=row["id"])
        clocks = app.clocks(row)
    broken = first_broken(AuditEvent(**(event | {"at": instant(event["at"])})) for event in events)
    if as_json:
        parts = {"events": events, "faults": faults, "deliveries": deliveries, "intact": broken is None}
        return _print_json(row | {"clocks": clocks} | parts)
    for line in story(row, clocks, events, faults, deliveries, intact=broken is None):
        typer.echo(visible(line))
    return None


@quarantine.command("list")
def list_quarantine(data: DataOption = None, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List quarantined messages, latest first."""
    with opened(data) as app:
        rows = app.reports.list_quarantine(limit=limit)
    if as_json:
        return _print_json(rows)
    table = Table("Message", "Reason", "Why", "Door", "Times", "Received", box=None)
    for row in rows:
        _add(
            table,
            row["key"][:8],
            row["reason"],
            row["sentence"],
            row["door"],
            str(row["times"]),
            _minute(row["last_received_at"]),
        )
    return _print_table(table, _counted(rows, "messages in quarantine", limit))


@quarantine.command("show")
def show_quarantined(
    key: Annotated[str, typer.Argument(help="The message's key or its beginning.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one quarantined message with its bytes."""
    with opened(data) as app:
        row = app.reports.find_quarantined(key)
    if row is None:
        raise NotFound(f"No quarantined message begins with {key}, or more than one does.")
    body = bytes(row.pop("body"))
    if as_json:
        text = body.decode("utf-8", "backslashreplace")
        return _print_json(row | {"body": text, "body_base64": b64encode(body).decode()})
    for name, value in row.items():
        typer.echo(f"{name:>18}  {visible(value)}")
    typer.echo(f"\n{visible(body.decode('utf-8', 'backslashreplace'), keep=_LAYOUT)}")
    return None


def _print_json(value: Any) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_as_text).decode())


def _as_text(value: Any) -> Any:
    return json.loads(value) if isinstance(value, bytes | bytearray) else str(value)


def _add(table: Table, *cells: object) -> None:
    """A row as it is: what comes from outside holds no markup for us and no commands for the terminal."""
    table.add_row(*(Text(visible(cell)) for cell in cells))


def _counted(rows: list[dict[str, Any]], what: str, limit: int) -> str:
    return f"{len(rows)} {what}" if len(rows) < limit else f"the latest {limit} {what}; --limit shows more"


def _print_table(table: Table, footer: str) -> None:
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    console.print(footer, style="dim")


def _spot(row: dict[str, Any]) -> str:
    return f"{row['spot_id']} / {row['connector_id']}" if row["connector_id"] else str(row["spot_id"])


def _status(row: dict[str, Any]) -> str:
    status = str(row["status"]).replace("_", " ")
    return f"{status}: {row['stages'][row['stage'] - 1]}" if row["status"] == "under_review" else status


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
