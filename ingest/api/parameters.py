"""What a request may ask: nothing that nobody hears."""

from collections import Counter
from collections.abc import Sequence

from fastapi import HTTPException, Request
from starlette.routing import BaseRoute, Match

_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def demand_known_parameters(request: Request) -> None:
    """Raises a 422 for a query parameter that the address does not know, or that stands there twice: it would do
    nothing, and nobody would say so."""
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "there are none"
            raise HTTPException(422, f"query.{name[:64]}: there is no such parameter; {there}.")
        if times > 1:
            raise HTTPException(422, f"query.{name}: it stands there {times} times; give it once.")


def methods_of(request: Request, routes: Sequence[BaseRoute]) -> str:
    """The methods that the address of a request has, for the header `Allow`; each is a route of its own."""
    asked = ({**request.scope, "method": method} for method in _METHODS)
    return ", ".join(
        scope["method"] for scope in asked if any(route.matches(scope)[0] is Match.FULL for route in routes)
    )
