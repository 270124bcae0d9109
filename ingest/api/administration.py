"""Route for administrative acts: who changed what, for auditors and administrators."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from domain.administration.act import SUBJECT_KIND
from domain.events import KINDS, describe
from domain.policy.roles import READ_ADMINISTRATION
from domain.ports.queries import Reports
from domain.ports.store import Identity
from ingest.api.fields import one_of

_KINDS = tuple(kind for kind in KINDS if kind.startswith(f"{SUBJECT_KIND}."))
_Kind = Annotated[
    str | None,
    AfterValidator(lambda word: None if word is None else one_of("kind", _KINDS)(word)),
    Query(json_schema_extra={"enum": list(_KINDS)}),
]


def _dated(text: str) -> str:
    """Refuses a number, which would be taken for seconds."""
    if re.match(r"\d{4}-\d\d-\d\d[Tt ]", text) is None:
        raise ValueError("should be an RFC 3339 time")
    return text


def _in_utc(moment: datetime) -> datetime:
    """Spells a time as PostgreSQL takes it, which knows no offset beyond 16 hours, nor a year 0."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


_Since = Annotated[AwareDatetime, BeforeValidator(_dated), AfterValidator(_in_utc)] | None


def router(reports: Reports, identity: Callable[..., Identity]) -> APIRouter:
    """Creates the route."""
    routes = APIRouter(prefix="/api/v1/administration")

    def auditor(who: Annotated[Identity, Depends(identity)]) -> None:
        READ_ADMINISTRATION.demand(who.role)

    @routes.get("", dependencies=[Depends(auditor)], summary="List administrative acts, latest first")
    def listed(
        kind: _Kind = None,
        since: _Since = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        rows = reports.administrative_events(kind=kind, since=since, limit=limit)
        return {"acts": [row | {"sentence": describe(row["kind"], row["body"], with_remark=True)} for row in rows]}

    return routes
