"""The pages, rendered from templates with every value escaped."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from domain.reports import Reports

_CLAIMS_SHOWN = 100


def _due(claim: dict[str, Any]) -> str:
    """By when a claim must be resolved, in the time of its site."""
    if claim["resolve_due_at"] is None:
        return "paused" if claim["time_zone"] else ""
    local = claim["resolve_due_at"].astimezone(ZoneInfo(claim["time_zone"] or "UTC"))
    return f"{local:%Y-%m-%d %H:%M %Z}"


_templates = Environment(
    loader=PackageLoader("ingest.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_templates.filters["due"] = _due


def claims_page(reports: Reports, now: datetime) -> str:
    """The latest claims as a table that renews itself."""
    return _templates.get_template("claims.html").render(claims=reports.list_claims(limit=_CLAIMS_SHOWN), now=now)
