"""Commands for incidents: look, and what people do about them."""

import getpass
from typing import Annotated, Any

import typer
from rich.table import Table

from domain.audit.chain import AuditEvent, first_broken, instant
from domain.claims.decide import Refused
from domain.errors import NotFound
from domain.incidents.incident import STATUSES
from domain.ports.store import Identity
from workers import roles
from workers.app import App
from workers.cli.application import DataOption, JsonOption, existing
from workers.cli.claims.claims import LimitOption
from workers.cli.incidents.incident_view import CLAIMS_NAMED, standing, story
from workers.cli.printing import add_row, counted, minute, print_json, print_table
from workers.runtime.escaping import visible

incident = typer.Typer(
    help="One error on many spots: look, acknowledge, close, merge, split, decide.", no_args_is_help=True
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
    """List incidents, newest first: one error on many spots of a place."""
    with existing(data) as app:
        rows = app.incident_reports.listed(status=status, code=code, limit=limit)
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
            f"{row['peak']} spots",
            str(row["threshold"]),
            minute(row["first_seen_at"]),
            minute(row["last_seen_at"]),
            standing(row),
        )
    return print_table(table, counted(rows, "incidents", limit))


@incident.command("show")
def show(incident_id: IncidentArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show one incident: where, how large, what happened in order, which claims."""
    with existing(data) as app:
        row = _found(app, incident_id)
        claims, events = app.incident_reports.claims_of(row["id"]), app.reports.claim_events(row["id"])
    broken = first_broken(AuditEvent(**(event | {"at": instant(event["at"])})) for event in events)
    if as_json:
        return print_json(row | {"claims": claims, "events": events, "intact": broken is None})
    for line in story(row, claims, events, intact=broken is None):
        typer.echo(visible(line))
    return None


@incident.command("acknowledge")
def acknowledge(incident_id: IncidentArgument, note: NoteOption = "", data: DataOption = None) -> None:
    """See to an incident: nobody is reminded of it any more."""
    with existing(data) as app:
        row = _found(app, incident_id)
        app.incident_desk.acknowledge(row["id"], _who(), note)
    typer.echo(f"acknowledged {row['id']}")


@incident.command("close")
def close(incident_id: IncidentArgument, note: NoteOption, data: DataOption = None) -> None:
    """Close an incident before it is quiet."""
    with existing(data) as app, roles.carrying_on(app):
        row = _found(app, incident_id)
        app.incident_desk.close(row["id"], _who(), note)
    typer.echo(f"closed {row['id']}")


@incident.command("merge")
def merge(
    incident_id: IncidentArgument,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The incident that takes over its claims.")],
    note: NoteOption = "",
    data: DataOption = None,
) -> None:
    """Make an incident's claims another incident's, and close it."""
    with existing(data) as app, roles.carrying_on(app):
        row, other = _found(app, incident_id), _found(app, into)
        app.incident_desk.merge(row["id"], other["id"], _who(), note)
    typer.echo(f"merged {row['id']} into {other['id']}")


@incident.command("split")
def split(
    incident_id: IncidentArgument,
    claims: Annotated[list[str], typer.Argument(metavar="CLAIM...", help="Claims that are another matter.")],
    note: NoteOption,
    data: DataOption = None,
) -> None:
    """Make some claims of an incident an incident of their own."""
    with existing(data) as app, roles.carrying_on(app):
        row = _found(app, incident_id)
        ids = [_claim(app, claim) for claim in claims]
        new_id = app.incident_desk.split(row["id"], ids, _who(), note)
    typer.echo(f"split {new_id} off {row['id']}")


@incident.command("cause")
def cause(
    incident_id: IncidentArgument,
    cause: Annotated[str, typer.Argument(help="What was behind it.")],
    data: DataOption = None,
) -> None:
    """Say what the root cause of an incident was."""
    with existing(data) as app:
        row = _found(app, incident_id)
        app.incident_desk.state_cause(row["id"], _who(), cause)
    typer.echo(f"noted on {row['id']}")


@incident.command("decide")
def decide(
    incident_id: IncidentArgument,
    decision: Annotated[str, typer.Argument(help="acknowledge, approve, reject or resolve.")],
    note: NoteOption = "",
    data: DataOption = None,
) -> None:
    """Decide all claims of an incident; each is looked at again. Exit 1 if any is refused."""
    if decision not in ("acknowledge", "approve", "reject", "resolve"):
        raise typer.BadParameter("there are acknowledge, approve, reject, resolve.")
    with existing(data) as app, roles.carrying_on(app):
        results = app.incident_desk.decide(_found(app, incident_id)["id"], decision, _who(), note)
    refused = [result for result in results if isinstance(result, Refused)]
    typer.echo(f"{len(results) - len(refused)} claims decided, {len(refused)} refused")
    for result in refused[:CLAIMS_NAMED]:
        typer.echo(visible(f"  {result.claim_id}: {result.reason}"))
    if refused:
        raise typer.Exit(1)


def _who() -> Identity:
    # Whoever reaches the database with this command holds everything.
    return Identity(f"cli:{getpass.getuser()}", "admin")


def _found(app: App, incident_id: str) -> dict[str, Any]:
    row = app.incident_reports.find(incident_id)
    if row is None:
        raise NotFound(f"No incident ends with {incident_id}, or more than one does.")
    return row


def _claim(app: App, claim_id: str) -> str:
    row = app.reports.find_claim(claim_id)
    if row is None:
        raise NotFound(f"No claim ends with {claim_id}, or more than one does.")
    return str(row["id"])
