"""The options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

ClaimArgument = Annotated[
    str,
    typer.Argument(metavar="CLAIM", help="The claim's number or id, or the last 6 characters of its id."),
]
DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder of the embedded form.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
LimitOption = Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of rows.")]
