"""The pages, rendered from templates with every value escaped."""

from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from domain.ports import Reports

_CLAIMS_SHOWN = 100

_templates = Environment(
    loader=PackageLoader("ingest.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def claims_page(reports: Reports, now: datetime) -> str:
    """The latest claims as a table that renews itself."""
    return _templates.get_template("claims.html").render(claims=reports.list_claims(limit=_CLAIMS_SHOWN), now=now)
