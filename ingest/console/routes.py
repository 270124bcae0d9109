"""The paths of the console's pages.

Links in them are relative, so that they work behind a proxy with a path prefix too.
"""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from domain.ports.queries import IncidentReports, Reports
from domain.ports.store import Clock
from ingest.console.pages import claim_page, claims_page, incident_page, missing_page


def router(reports: Reports, incidents: IncidentReports, clock: Clock) -> APIRouter:
    """Creates the routes; the caller decides who may look. `adapters.apprise.rendering` links to them."""
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @routes.get("/")
    def claims() -> HTMLResponse:
        return _shown(claims_page(reports, incidents, clock()))

    @routes.get("/claims/{claim_id}")
    def claim(claim_id: str) -> HTMLResponse:
        return _shown(claim_page(reports, incidents, claim_id))

    @routes.get("/incidents/{incident_id}")
    def incident(incident_id: str) -> HTMLResponse:
        return _shown(incident_page(reports, incidents, incident_id))

    return routes


def _shown(page: str | None) -> HTMLResponse:
    return HTMLResponse(missing_page(), 404) if page is None else HTMLResponse(page)
