"""Commands that show claims, and the group of those that act on one."""

from typing import Annotated, Any

import typer
from rich.table import Table

from domain.audit.chain import AuditEvent, first_broken
from domain.claims.lifecycle import STATUSES
from workers.cli.application import claim_named, existing
from workers.cli.claims import acting
from workers.cli.claims.claim_view import faults_named, story
from workers.cli.options import ClaimArgument, DataOption, JsonOption, LimitOption
from workers.cli.printing import add_row, counted, minute, print_json, print_table
from workers.runtime.escaping import escaped

of_claims = typer.Typer(invoke_without_command=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(of_claims, name="claims")
    app.command("claim")(claim)


def _status_known(status: str | None) -> str | None:
    if status is not None and status not in STATUSES:
        raise typer.BadParameter(f"there are {', '.join(STATUSES)}.")
    return status


@of_claims.callback()
def claims(
    context: typer.Context,
    data: DataOption = None,
    status: Annotated[str | None, typer.Option(help="Only claims of this status.", callback=_status_known)] = None,
    spot: Annotated[str | None, typer.Option(help="Only claims of this spot.")] = None,
    code: Annotated[str | None, typer.Option(help="Only claims of this error code.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List claims, newest first; or decide or correct one."""
    if context.invoked_subcommand is not None:
        return None
    with existing(data) as app:
        rows = app.queries.reports.list_claims(status=status, spot_id=spot, code=code, limit=limit)
    if as_json:
        return print_json(rows)
    table = Table("Claim", "Spot", "Error", "Severity", "Faults", "First seen", "Last seen", "Status", box=None)
    for row in rows:
        add_row(
            table,
            row["number"] or row["id"][-8:],
            _spot(row),
            row["code"],
            row["severity"],
            str(row["fault_count"]),
            minute(row["first_seen_at"]),
            minute(row["last_seen_at"]),
            _status(row),
        )
    return print_table(table, counted(rows, limit, "claim"))


def claim(
    claim_id: ClaimArgument,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one claim: what happened, when, who did it and why."""
    with existing(data) as app:
        row = claim_named(app, claim_id)
        events = app.queries.reports.claim_events(row["id"])
        faults = app.queries.reports.list_faults([key for event in events for key in faults_named(event)])
        deliveries = app.queries.reports.list_deliveries(claim_id=row["id"])
        clocks = app.queries.clocks(row)
        incident = app.queries.incidents.of_claim(row["id"])
    broken = first_broken(map(AuditEvent.of_row, events))
    if as_json:
        parts = {"events": events, "faults": faults, "deliveries": deliveries, "intact": broken is None}
        return print_json(row | {"clocks": clocks, "incident": incident} | parts)
    for line in story(row, incident, clocks, events, faults, deliveries, intact=broken is None):
        typer.echo(escaped(line))
    return None


def _spot(row: dict[str, Any]) -> str:
    return f"{row['spot_id']} / {row['connector_id']}" if row["connector_id"] else str(row["spot_id"])


def _status(row: dict[str, Any]) -> str:
    status = str(row["status"]).replace("_", " ")
    return f"{status}: {row['stages'][row['stage'] - 1]}" if row["status"] == "under_review" else status


acting.add_to(of_claims)
