"""Commands for notifications: list deliveries, resend failed ones."""

from typing import Annotated, Any

import typer
from rich.table import Table

from domain.errors import NotFound
from domain.notifications.delivery import STATUSES
from workers.cli.application import existing
from workers.cli.options import DataOption, JsonOption, LimitOption
from workers.cli.printing import add_row, counted, minute, print_json, print_table

deliveries = typer.Typer(help="Notifications: destination, reason, status and attempts.")


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(deliveries, name="deliveries")


def _status_known(status: str | None) -> str | None:
    if status is not None and status not in STATUSES:
        raise typer.BadParameter(f"there are {', '.join(STATUSES)}.")
    return status


@deliveries.callback(invoke_without_command=True)
def list_deliveries(
    context: typer.Context,
    data: DataOption = None,
    status: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(STATUSES)}.", callback=_status_known)
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List notifications, newest first."""
    if context.invoked_subcommand is not None:
        return None
    with existing(data) as app:
        rows = app.queries.reports.list_deliveries(status=status, limit=limit)
    if as_json:
        return print_json(rows)
    table = Table("Delivery", "Made", "To", "Why", "Status", "Tried", "What", "Answer", box=None)
    for row in rows:
        cells = row["destination"], row["reason"].replace("_", " "), _status(row), row["attempts"]
        add_row(table, row["id"][-8:], minute(row["created_at"]), *cells, row["title"], row["answer"])
    return print_table(table, counted(rows, limit, "delivery", "deliveries"))


def _status(row: dict[str, Any]) -> str:
    waiting = row["status"] in ("gathering", "pending") and row["due_at"]
    return f"{row['status']}, due {row['due_at']:%H:%M:%S}" if waiting else str(row["status"])


@deliveries.command("resend")
def resend(
    delivery_id: Annotated[
        str, typer.Argument(metavar="ID", help="The delivery's id, or its last 6 characters or more.")
    ],
    data: DataOption = None,
) -> None:
    """Resend a notification that failed, or whose outcome is unknown."""
    with existing(data) as app:
        row = app.queries.reports.find_delivery(delivery_id)
        if row is None:
            raise NotFound(f"No delivery ends with {delivery_id}, or more than one does.")
        app.notifications.resend(row["id"])
    typer.echo(f"{row['id'][-8:]} will be sent to {row['destination']} again.")
