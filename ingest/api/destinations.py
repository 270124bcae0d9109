"""Routes for notification destinations. A URL is accepted and never returned."""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Path
from pydantic import SecretStr

from domain.policy.roles import CHANGE_DESTINATIONS
from domain.ports.store import AttemptResult, Identity
from ingest.api.fields import STORABLE
from ingest.api.request_checks import StrictBody

_Name = Annotated[
    str,
    Path(min_length=1, max_length=64, pattern=STORABLE, description="The name by which the policy refers to it."),
]


class DestinationService(Protocol):
    """See `workers.services.destinations.DestinationService`."""

    def present(self) -> list[dict[str, Any]]: ...

    def add(self, name: str, url: str, who: str) -> None: ...

    def remove(self, name: str, who: str) -> bool: ...

    def test(self, name: str, who: str) -> AttemptResult: ...


class Destination(StrictBody):
    """An Apprise URL; it is never shown again."""

    url: SecretStr


def router(desk: DestinationService, identity: Callable[..., Identity]) -> APIRouter:
    """Creates the routes. Running processes learn of a change within seconds."""
    routes = APIRouter(prefix="/api/v1/destinations")
    asking = Annotated[Identity, Depends(identity)]

    def admin(who: asking) -> Identity:
        CHANGE_DESTINATIONS.demand(who.role)
        return who

    deciding = Annotated[Identity, Depends(admin)]

    @routes.get("", dependencies=[Depends(identity)], summary="List destinations, without their URLs")
    def listed() -> dict[str, Any]:
        return {"destinations": desk.present()}

    @routes.put("/{name}", summary="Add a destination, or give one a new URL")
    def put(name: _Name, destination: Destination, who: deciding) -> dict[str, Any]:
        desk.add(name, destination.url.get_secret_value(), who.name)
        return next(row for row in desk.present() if row["name"] == name)

    @routes.delete("/{name}", summary="Remove a destination and forget its URL")
    def remove(name: _Name, who: deciding) -> dict[str, Any]:
        return {"name": name, "named_by_policy": desk.remove(name, who.name)}

    @routes.post("/{name}/test", summary="Send a test message")
    def test(name: _Name, who: deciding) -> dict[str, Any]:
        outcome = desk.test(name, who.name)
        return {"destination": name, "status": outcome.status, "answer": outcome.answer}

    return routes
