"""The HTTP door to where people are told. What a URL holds is taken in, and never given out."""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, SecretStr

from domain.errors import NotAllowed
from domain.ports.store import Identity, Outcome
from ingest.api.fields import STORABLE

_Name = Annotated[
    str, Path(min_length=1, max_length=64, pattern=STORABLE, description="The name that the policy knows it by.")
]


class DestinationDesk(Protocol):
    """See `workers.services.destinations.DestinationDesk`."""

    def present(self) -> list[dict[str, Any]]: ...

    def add(self, name: str, url: str, who: str) -> None: ...

    def remove(self, name: str, who: str) -> bool: ...

    def test(self, name: str) -> Outcome: ...


class Destination(BaseModel):
    """An Apprise URL; it is not shown again."""

    model_config = ConfigDict(extra="forbid")

    url: SecretStr


def router(desk: DestinationDesk, identity: Callable[..., Identity]) -> APIRouter:
    """The routes. Whoever runs already knows of a change within seconds."""
    routes = APIRouter(prefix="/api/v1/destinations")
    asking = Annotated[Identity, Depends(identity)]

    def admin(who: asking) -> Identity:
        if who.role != "admin":
            raise NotAllowed(f"The role {who.role} changes no destinations; admin does.")
        return who

    deciding = Annotated[Identity, Depends(admin)]

    @routes.get("", dependencies=[Depends(identity)], summary="Where people are told, without URLs")
    def listed() -> dict[str, Any]:
        return {"destinations": desk.present()}

    @routes.put("/{name}", summary="Add a destination, or give one a new URL")
    def put(name: _Name, destination: Destination, who: deciding) -> dict[str, Any]:
        desk.add(name, destination.url.get_secret_value(), who.name)
        return next(row for row in desk.present() if row["name"] == name)

    @routes.delete("/{name}", summary="Remove a destination and forget its URL")
    def remove(name: _Name, who: deciding) -> dict[str, Any]:
        return {"name": name, "named_by_policy": desk.remove(name, who.name)}

    @routes.post("/{name}/test", dependencies=[Depends(admin)], summary="Send one message that says it is a test")
    def test(name: _Name) -> dict[str, Any]:
        outcome = desk.test(name)
        return {"destination": name, "status": outcome.status, "answer": outcome.answer}

    return routes
