"""Routes for notifications: deliveries with their status, and resending failed ones."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator

from domain.errors import NotFound
from domain.notifications.delivery import STATUSES
from domain.policy.roles import HANDLE_NOTIFICATIONS
from domain.ports.queries import Reports
from domain.ports.store import Identity
from ingest.api.fields import STORABLE, one_of

_Claim = Annotated[str | None, Query(min_length=1, max_length=256, pattern=STORABLE)]
_Status = Annotated[
    str | None,
    AfterValidator(lambda word: None if word is None else one_of("status", STATUSES)(word)),
    Query(json_schema_extra={"enum": list(STATUSES)}),
]

Resend = Callable[[str], None]
"""See `workers.steps.deliver.Resend`."""


def router(
    resend: Resend,
    reports: Reports,
    identity: Callable[..., Identity],
    claim_of: Callable[[str], dict[str, Any]],
) -> APIRouter:
    """Creates the routes.

    `claim_of` returns a claim by its id or the end of it, or raises `NotFound`; a delivery is named likewise.
    """
    routes = APIRouter(prefix="/api/v1/deliveries")

    @routes.get("", dependencies=[Depends(identity)], summary="List notifications and their status")
    def listed(
        claim_id: _Claim = None, status: _Status = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> dict[str, Any]:
        of_claim = claim_of(claim_id)["id"] if claim_id else None
        return {"deliveries": reports.list_deliveries(claim_id=of_claim, status=status, limit=limit)}

    @routes.post("/{delivery_id}/resend", summary="Resend a notification that failed, or whose outcome is unknown")
    def again(delivery_id: str, who: Annotated[Identity, Depends(identity)]) -> dict[str, Any]:
        HANDLE_NOTIFICATIONS.demand(who.role)
        row = _found(reports, delivery_id)
        resend(row["id"])
        return _found(reports, row["id"])

    return routes


def _found(reports: Reports, delivery_id: str) -> dict[str, Any]:
    row = reports.find_delivery(delivery_id)
    if row is None:
        raise NotFound(f"No delivery ends with {delivery_id}, or more than one does.")
    return row
