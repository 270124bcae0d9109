"""Renders the console's pages from templates, with every value escaped.

They show no affected user, nothing of what evidence holds, and of what people wrote only the root cause of an
incident. Destinations appear by name, never by address.
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from domain.claims.lifecycle import CLOSED
from domain.events import describe
from domain.incidents.incident import OPEN, QUIET
from domain.ports.queries import IncidentReports, Reports

_CLAIMS_SHOWN = 100
_EVENTS_SHOWN = 200
# At most this many claims of an incident are read.
_CLAIMS_COUNTED = 1000


def _due(claim: dict[str, Any]) -> str:
    """Formats when a claim must be resolved, in the time of its site."""
    if claim["resolve_due_at"] is None:
        return "paused" if claim["time_zone"] else ""
    local = claim["resolve_due_at"].astimezone(ZoneInfo(claim["time_zone"] or "UTC"))
    return f"{local:%Y-%m-%d %H:%M %Z}"


def _status_line(claim: dict[str, Any]) -> str:
    """Formats a claim's status and the role that must act."""
    status = str(claim["status"]).replace("_", " ")
    return f"{status}: {claim['stages'][claim['stage'] - 1]}" if claim["status"] == "under_review" else status


_templates = Environment(
    loader=PackageLoader("ingest.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_templates.filters |= {
    "due": _due,
    "status_line": _status_line,
    "sentence": lambda event: describe(event["kind"], event["body"], with_remark=False),
    "moment": lambda at: f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
    "words": lambda name: name.replace("_", " ").lower(),
}


def claims_page(reports: Reports, incidents: IncidentReports, now: datetime) -> str:
    """Renders open incidents and the latest claims, as a page that refreshes itself."""
    going_on = [row for status in (OPEN, QUIET) for row in incidents.listed(status=status)]
    return _page("claims.html", claims=reports.list_claims(limit=_CLAIMS_SHOWN), incidents=going_on, now=now)


def claim_page(reports: Reports, incidents: IncidentReports, claim_id: str) -> str | None:
    """Renders one claim and its history; None if there is no such claim."""
    claim = reports.find_claim(claim_id)
    if claim is None:
        return None
    incident = incidents.of_claim(claim["id"])
    return _page("claim.html", claim=claim, incident=incident, **_history(reports, claim["id"]))


def incident_page(reports: Reports, incidents: IncidentReports, incident_id: str) -> str | None:
    """Renders one incident, its history and its claims; None if there is no such incident."""
    incident = incidents.find(incident_id)
    if incident is None:
        return None
    claims = incidents.claims_of(incident["id"], limit=_CLAIMS_COUNTED)
    # A merged incident's count includes claims that belong to the other one now.
    count = incident["claim_count"] if len(claims) == _CLAIMS_COUNTED else len(claims)
    return _page(
        "incident.html",
        incident=incident,
        claims=claims[:_CLAIMS_SHOWN],
        count=count,
        counted=len(claims),
        spots_now=len({claim["spot_id"] for claim in claims if claim["status"] not in CLOSED}),
        **_history(reports, incident["id"]),
    )


def missing_page() -> str:
    """Renders the page for an unknown address."""
    return _page("missing.html")


def _history(reports: Reports, subject_id: str) -> dict[str, Any]:
    events = reports.claim_events(subject_id)
    return {"events": events[-_EVENTS_SHOWN:], "earlier": max(0, len(events) - _EVENTS_SHOWN)}


def _page(template: str, **facts: Any) -> str:
    return _templates.get_template(template).render(facts)
