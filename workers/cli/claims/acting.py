"""Commands of `spotclaim claims` that act on one claim: decide, correct, rebind, duplicate."""

from typing import Annotated

import typer

from domain.claims.claim import Claim
from domain.claims.correct import Correction
from domain.claims.decide import Wanted
from domain.ports.store import Identity
from workers.cli.application import claim_named, existing, os_user
from workers.cli.options import ClaimArgument, DataOption, ReasonOption, demand_decision
from workers.roles.carrying_on import carrying_on

VersionOption = Annotated[
    int | None,
    typer.Option("--version", min=1, help="The version that you saw; a claim that moved on is left alone."),
]
NoteOption = Annotated[str, typer.Option("--note", help="Why, in words.")]
ReasonInWords = Annotated[str, typer.Option("--note", "--reason", help="Why, in words.")]


def add_to(claims: typer.Typer) -> None:
    """Adds the commands to their group."""
    for command in (decide, correct, rebind, duplicate):
        claims.command()(command)


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
        wanted = Wanted(claim_named(app, claim_id)["id"], version)
        claim = app.services.decide(wanted, decision, who(), note, reason)
    _print(claim)


def correct(
    claim_id: ClaimArgument,
    note: ReasonInWords,
    severity: Annotated[str | None, typer.Option(help="The severity that is right.")] = None,
    code: Annotated[str | None, typer.Option(help="The error code that is right.")] = None,
    version: VersionOption = None,
    data: DataOption = None,
) -> None:
    """Correct the severity or the error of an open claim; it is judged again, and its clocks are reckoned anew."""
    with existing(data) as app, carrying_on(app):
        wanted = Wanted(claim_named(app, claim_id)["id"], version)
        claim = app.services.corrections.correct(wanted, Correction(severity, code), who(), note)
    _print(claim)


def rebind(
    claim_id: ClaimArgument, note: ReasonInWords, version: VersionOption = None, data: DataOption = None
) -> None:
    """Bind an open claim to the present policy; it is judged again, and its clocks are reckoned anew."""
    with existing(data) as app, carrying_on(app):
        wanted = Wanted(claim_named(app, claim_id)["id"], version)
        claim = app.services.corrections.rebind(wanted, who(), note)
    _print(claim)


def duplicate(
    claim_id: ClaimArgument,
    of: Annotated[str, typer.Option(help="The claim that its reports and its evidence follow to.")],
    note: ReasonInWords,
    version: VersionOption = None,
    data: DataOption = None,
) -> None:
    """Close a claim as a duplicate of another one, which takes over its reports and its evidence."""
    with existing(data) as app, carrying_on(app):
        wanted, other = Wanted(claim_named(app, claim_id)["id"], version), claim_named(app, of)["id"]
        claim = app.services.corrections.mark_duplicate(wanted, other, who(), note)
    _print(claim)


def _print(claim: Claim) -> None:
    typer.echo(f"Claim {claim.name}: {claim.code}, {claim.severity}, {claim.status.replace('_', ' ')}.")


def who() -> Identity:
    """Identifies who runs the command: whoever can may read and write the database."""
    return Identity(os_user(), "admin")
