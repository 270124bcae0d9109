"""Commands for incidents: list, show, acknowledge, close, merge, split, cause, decide."""

import getpass
from typing import Annotated, Any

import typer
from rich.table import Table

from domain.audit.chain import AuditEvent, first_broken
from domain.claims.decide import Refused
from domain.errors import NotFound
from domain.incidents.incident import STATUSES
from domain.ports.store import Identity
from domain.text import count
from workers.bootstrap.app import App
from workers.cli.application import claim_named, existing
from workers.cli.incidents.incident_view import CLAIMS_NAMED, standing, story
from workers.cli.options import DataOption, JsonOption, LimitOption, ReasonOption, demand_decision
from workers.cli.printing import add_row, counted, minute, print_json, print_table
from workers.roles.carrying_on import carrying_on
from workers.runtime.escaping import escaped

incident = typer.Typer(
    help="Show, acknowledge, close, merge, split and decide one incident.", no_args_is_help=True
)

IncidentArgument = Annotated[
    str, typer.Argument(metavar="INCIDENT", help="The incident's id, or its last 6 characters or more.")
]
NoteOption = Annotated[str, typer.Option("--note", help="Why.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("incidents")(incidents)
    app.add_typer(incident, name="incident")


def _status_known(status: str | None) -> str | None:
    if status is not None and status not in STATUSES:
        raise typer.BadParameter(f"there are {', '.join(STATUSES)}.")
    return status


def incidents(
    data: DataOption = None,
    status: Annotated[
        str | None, typer.Option(help="Only incidents of this status.", callback=_status_known)
    ] = None,
    code: Annotated[str | None, typer.Option(help="Only incidents of this error code.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List incidents, newest first. An incident is one error on many spots of a zone, site or model."""
    with existing(data) as app:
        rows = app.queries.incidents.listed(status=status, code=code, limit=limit)
    if as_json:
        return print_json(rows)
    table = Table(
        "Incident", "Error", "Where", "Claims", "Peak", "Usual below", "Began", "Last seen", "Status", box=None
    )
    for row in rows:
        add_row(
            table,
            row["id"][-8:],
            row["code"],
            f"{row['kind']} {row['place']}",
            str(row["claim_count"]),
            count(row["peak"], "spot"),
            str(row["threshold"]),
            minute(row["first_seen_at"]),
            minute(row["last_seen_at"]),
            standing(row),
        )
    return print_table(table, counted(rows, limit, "incident"))


@incident.command("show")
def show(incident_id: IncidentArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show one incident: place, size, timeline and claims."""
    with existing(data) as app:
        row = _found(app, incident_id)
        claims, events = app.queries.incidents.claims_of(row["id"]), app.queries.reports.claim_events(row["id"])
    broken = first_broken(map(AuditEvent.of_row, events))
    if as_json:
        return print_json(row | {"claims": claims, "events": events, "intact": broken is None})
    for line in story(row, claims, events, intact=broken is None):
        typer.echo(escaped(line))
    return None


@incident.command("acknowledge")
def acknowledge(incident_id: IncidentArgument, note: NoteOption = "", data: DataOption = None) -> None:
    """Acknowledge an incident, which stops its reminders."""
    with existing(data) as app:
        row = _found(app, incident_id)
        app.services.incidents.acknowledge(row["id"], _who(), note)
    typer.echo(f"acknowledged {row['id']}")


@incident.command("close")
def close(incident_id: IncidentArgument, note: NoteOption, data: DataOption = None) -> None:
    """Close an incident before it is quiet."""
    with existing(data) as app, carrying_on(app):
        row = _found(app, incident_id)
        app.services.incidents.close(row["id"], _who(), note)
    typer.echo(f"closed {row['id']}")


@incident.command("merge")
def merge(
    incident_id: IncidentArgument,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The incident that takes over its claims.")],
    note: NoteOption = "",
    data: DataOption = None,
) -> None:
    """Merge an incident's claims into another incident, and close it."""
    with existing(data) as app, carrying_on(app):
        row, other = _found(app, incident_id), _found(app, into)
        app.services.incidents.merge(row["id"], other["id"], _who(), note)
    typer.echo(f"merged {row['id']} into {other['id']}")


@incident.command("split")
def split(
    incident_id: IncidentArgument,
    claims: Annotated[list[str], typer.Argument(metavar="CLAIM...", help="Claims that have another cause.")],
    note: NoteOption,
    data: DataOption = None,
) -> None:
    """Split some claims off as a new incident."""
    with existing(data) as app, carrying_on(app):
        row = _found(app, incident_id)
        ids = [claim_named(app, claim)["id"] for claim in claims]
        new_id = app.services.incidents.split(row["id"], ids, _who(), note)
    typer.echo(f"split {new_id} off {row['id']}")


@incident.command("cause")
def cause(
    incident_id: IncidentArgument,
    cause: Annotated[str, typer.Argument(help="The root cause.")],
    data: DataOption = None,
) -> None:
    """State the root cause of an incident."""
    with existing(data) as app:
        row = _found(app, incident_id)
        app.services.incidents.state_cause(row["id"], _who(), cause)
    typer.echo(f"noted on {row['id']}")


@incident.command("decide")
def decide(
    incident_id: IncidentArgument,
    decision: Annotated[str, typer.Argument(help="acknowledge, approve, reject or resolve.")],
    note: NoteOption = "",
    reason: ReasonOption = "",
    data: DataOption = None,
) -> None:
    """Decide all claims of an incident, each checked separately; exit 1 if any is refused."""
    demand_decision(decision)
    with existing(data) as app, carrying_on(app):
        results = app.services.incidents.decide(_found(app, incident_id)["id"], decision, _who(), note, reason)
    refused = [result for result in results if isinstance(result, Refused)]
    typer.echo(f"{count(len(results) - len(refused), 'claim')} decided, {len(refused):,} refused")
    for result in refused[:CLAIMS_NAMED]:
        typer.echo(escaped(f"  {result.claim_id}: {result.reason}"))
    if refused:
        raise typer.Exit(1)


def _who() -> Identity:
    # Whoever can run this command can read and write the database.
    return Identity(f"cli:{getpass.getuser()}", "admin")


def _found(app: App, incident_id: str) -> dict[str, Any]:
    row = app.queries.incidents.find(incident_id)
    if row is None:
        raise NotFound(f"No incident ends with {incident_id}, or more than one does.")
    return row
