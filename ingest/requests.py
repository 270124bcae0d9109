"""What a request may ask: nothing that nobody hears."""

from collections.abc import Iterable

from fastapi import HTTPException, Request
from starlette.routing import BaseRoute, Match


def demand_known_parameters(request: Request) -> None:
    """Raises a 422 for a query parameter that the address does not know: misspelt, it would do nothing."""
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "there are none"
            raise HTTPException(422, f"query.{name[:64]}: there is no such parameter; {there}.")


def methods_of(request: Request, routes: Iterable[BaseRoute]) -> str:
    """The methods that the address of a request has, for the header `Allow`; each is a route of its own."""
    met = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for route in met for method in getattr(route, "methods", None) or ()}))
