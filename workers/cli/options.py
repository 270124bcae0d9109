"""The options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

from domain.claims.decide import DECISIONS

ClaimArgument = Annotated[
    str,
    typer.Argument(metavar="CLAIM", help="The claim's number or id, or the last 6 characters of its id."),
]
DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder of the embedded form.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="The reason of a rejection: a code of the policy's catalogue.")
]
LimitOption = Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of rows.")]


def demand_decision(word: str) -> None:
    """Raises `BadParameter` for a word that is no decision."""
    if word not in DECISIONS:
        raise typer.BadParameter(f"there are {', '.join(DECISIONS)}.")
