"""How commands find the claim that they are about."""

from typing import Annotated, Any

import typer

from domain.errors import NotFound
from workers.bootstrap.app import App

ClaimArgument = Annotated[
    str, typer.Argument(metavar="CLAIM", help="The claim's id, or its last 6 characters or more.")
]


def found(app: App, claim_id: str) -> dict[str, Any]:
    """Returns the claim with this id, or the only one whose id ends so. Raises `NotFound`."""
    claim = app.queries.reports.find_claim(claim_id)
    if claim is None:
        raise NotFound(f"No claim ends with {claim_id}, or more than one does.")
    return claim
