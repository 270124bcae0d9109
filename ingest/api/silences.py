"""Routes for silences and maintenance windows, which mute notifications for a while."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, AwareDatetime, Field, WithJsonSchema

from domain.errors import Conflict, NotFound
from domain.identifiers import new_claim_id
from domain.notifications.silence import Silence
from domain.policy.error_codes import CLAIM_TYPES
from domain.policy.policy import SEVERITIES
from domain.policy.roles import HANDLE_NOTIFICATIONS
from domain.ports.store import Clock, Identity
from ingest.api.destinations import DestinationService
from ingest.api.fields import Name, Reason, one_of
from ingest.api.request_checks import StrictBody

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


class Wish(StrictBody):
    """Mutes notifications that match all these conditions until then; all of them only with `everything`."""

    why: Reason
    until: AwareDatetime
    begin: Annotated[AwareDatetime | None, Field(alias="from", description="Now by default.")] = None
    codes: Annotated[tuple[_Code, ...], _Most] = ()
    severities: Annotated[tuple[_Severity, ...], _Most] = ()
    claim_types: Annotated[tuple[_ClaimType, ...], _Most] = ()
    zones: Annotated[tuple[Name, ...], _Most] = ()
    destinations: Annotated[tuple[Name, ...], _Most] = ()
    everything: bool = False

    def silence(self, who: str, now: datetime) -> Silence:
        """Creates the silence.

        Raises `Conflict` for one that has ended, lasts too long, or would mute everything by mistake.
        """
        conditions = (self.codes, self.severities, self.claim_types, self.zones, self.destinations)
        if not any(conditions) and not self.everything:
            raise Conflict("Say what to silence, such as zones, or everything.")
        starts_at = self.begin or now
        if not max(starts_at, now) < self.until <= now + _LONGEST:
            raise Conflict(f"A silence ends after it begins, and within {_LONGEST.days} days from now.")
        return Silence(new_claim_id(), who, self.why, starts_at, self.until, *conditions)


def router(
    silences: Silences, destinations: DestinationService, identity: Callable[..., Identity], clock: Clock
) -> APIRouter:
    """Creates the routes. A silence is named by its id or the end of it."""
    routes = APIRouter(prefix="/api/v1/silences")
    asking = Annotated[Identity, Depends(identity)]

    @routes.get("", dependencies=[Depends(identity)], summary="List current and future silences, or all of them")
    def listed(ended: bool = False) -> dict[str, Any]:
        return {"silences": silences.listed(since=None if ended else clock())}

    @routes.post("", status_code=201, summary="Mute some notifications for a while")
    def add(wish: Wish, who: asking) -> dict[str, Any]:
        HANDLE_NOTIFICATIONS.demand(who.role)
        silence = wish.silence(who.name, clock())
        if unknown := set(silence.destinations).difference(row["name"] for row in destinations.present()):
            raise NotFound(f"There is no destination {min(unknown)}.")
        return silences.add(silence)

    @routes.delete("/{silence_id}", summary="End a silence early; it stays on record")
    def end(silence_id: str, who: asking) -> dict[str, Any]:
        HANDLE_NOTIFICATIONS.demand(who.role)
        return silences.end(silence_id, who.name, clock())

    return routes
