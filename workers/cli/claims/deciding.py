"""`spotclaim claims decide`: decides one claim."""

from typing import Annotated

import typer

from domain.claims.decide import Wanted
from domain.ports.store import Identity
from workers.cli.application import existing, os_user
from workers.cli.claims.finding import ClaimArgument, found
from workers.cli.options import DataOption, ReasonOption, demand_decision
from workers.roles.carrying_on import carrying_on

VersionOption = Annotated[
    int | None,
    typer.Option("--version", min=1, help="The version that you saw; a claim that moved on is left alone."),
]
NoteOption = Annotated[str, typer.Option("--note", help="Why, in words.")]


def add_to(claims: typer.Typer) -> None:
    """Adds the command to its group."""
    claims.command("decide")(decide)


def decide(
    claim_id: ClaimArgument,
    decision: Annotated[str, typer.Argument(help="acknowledge, approve, reject or resolve.")],
    reason: ReasonOption = "",
    note: NoteOption = "",
    version: VersionOption = None,
    data: DataOption = None,
) -> None:
    """Decide one claim. A rejection names a reason of the policy's catalogue."""
    demand_decision(decision)
    with existing(data) as app, carrying_on(app):
        wanted = Wanted(found(app, claim_id)["id"], version)
        claim = app.services.decide(wanted, decision, who(), note, reason)
    typer.echo(f"Claim {claim.id}: {claim.status.replace('_', ' ')}.")


def who() -> Identity:
    """Identifies who runs the command: whoever can may read and write the database."""
    return Identity(os_user(), "admin")
