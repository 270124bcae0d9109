"""The HTTP door to silences and maintenance windows: what is not told for a while, and who said so."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from domain.error_codes import CLAIM_TYPES
from domain.errors import Conflict, NotFound
from domain.identifiers import new_claim_id
from domain.notifications.delivery import demand_may_handle
from domain.notifications.silence import Silence
from domain.policy import SEVERITIES
from domain.ports.store import Clock, Identity
from ingest.api.destinations import DestinationDesk
from ingest.api.fields import Name, Reason, one_of

_LONGEST = timedelta(days=366)


class Silences(Protocol):
    """See `adapters.postgres.notifications.silences.Silences`."""

    def add(self, silence: Silence) -> dict[str, Any]: ...

    def end(self, silence_id: str, who: str, now: datetime) -> dict[str, Any]: ...

    def listed(self, *, since: datetime | None = None) -> list[dict[str, Any]]: ...


def _word(what: str, words: Iterable[str]) -> Any:
    known = sorted(set(words))
    return AfterValidator(one_of(what, known)), WithJsonSchema({"type": "string", "enum": known})


_Code = Annotated[str, *_word("code", CLAIM_TYPES)]
_Severity = Annotated[str, *_word("severity", SEVERITIES)]
_ClaimType = Annotated[str, *_word("claim type", CLAIM_TYPES.values())]
_Most = Field(max_length=1000)


class Wish(BaseModel):
    """What fits all these conditions is told to nobody until then; all there is only with `everything`."""

    model_config = ConfigDict(extra="forbid")

    why: Reason
    until: AwareDatetime
    begin: Annotated[AwareDatetime | None, Field(alias="from", description="Now unless said.")] = None
    codes: Annotated[tuple[_Code, ...], _Most] = ()
    severities: Annotated[tuple[_Severity, ...], _Most] = ()
    claim_types: Annotated[tuple[_ClaimType, ...], _Most] = ()
    zones: Annotated[tuple[Name, ...], _Most] = ()
    destinations: Annotated[tuple[Name, ...], _Most] = ()
    everything: bool = False

    def silence(self, who: str, now: datetime) -> Silence:
        """Raises `Conflict` for one that has ended, lasts too long, or would silence all there is by mistake."""
        conditions = (self.codes, self.severities, self.claim_types, self.zones, self.destinations)
        if not any(conditions) and not self.everything:
            raise Conflict("Say what to silence, such as zones, or everything.")
        starts_at = self.begin or now
        if not max(starts_at, now) < self.until <= now + _LONGEST:
            raise Conflict(f"A silence ends after it begins, and within {_LONGEST.days} days from now.")
        return Silence(new_claim_id(), who, self.why, starts_at, self.until, *conditions)


def router(
    silences: Silences, destinations: DestinationDesk, identity: Callable[..., Identity], clock: Clock
) -> APIRouter:
    """The routes. A silence is named by its id or the end of it."""
    routes = APIRouter(prefix="/api/v1/silences")
    asking = Annotated[Identity, Depends(identity)]

    @routes.get("", dependencies=[Depends(identity)], summary="Silences that last or are to come, or all of them")
    def listed(ended: bool = False) -> dict[str, Any]:
        return {"silences": silences.listed(since=None if ended else clock())}

    @routes.post("", status_code=201, summary="Tell nobody of some things for a while")
    def add(wish: Wish, who: asking) -> dict[str, Any]:
        demand_may_handle(who.role)
        silence = wish.silence(who.name, clock())
        if unknown := set(silence.destinations).difference(row["name"] for row in destinations.present()):
            raise NotFound(f"There is no destination {min(unknown)}.")
        return silences.add(silence)

    @routes.delete("/{silence_id}", summary="End a silence before its time; it stays on record")
    def end(silence_id: str, who: asking) -> dict[str, Any]:
        demand_may_handle(who.role)
        return silences.end(silence_id, who.name, clock())

    return routes
