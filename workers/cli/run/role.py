"""What the commands of the roles share."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import SetupError
from workers.bootstrap.app import App
from workers.cli.running import running
from workers.health.startup_checks import demand_port
from workers.roles.background import until_signalled
from workers.settings import load_settings

HostOption = Annotated[str | None, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int | None, typer.Option(help="HTTP port; 0 for any free one.")]
MetricsOption = Annotated[int | None, typer.Option(help="Port of /metrics; 0 for none.")]


def run_role(role: Callable[[App], None], data: Path | None, metrics_port: int | None) -> None:
    """Runs a role that serves no port but that of its metrics. Raises `SetupError`."""
    settings = load_settings(data=data, metrics_port=metrics_port)
    if settings.amqp_url is None:
        raise SetupError(
            "SPOTCLAIM_AMQP_URL is not set: a role by itself needs a broker; `spotclaim up` needs none."
        )
    if settings.metrics_port:
        demand_port(settings.host, settings.metrics_port, "SPOTCLAIM_METRICS_PORT")
    with running(data, metrics_port=metrics_port) as app, until_signalled(app):
        role(app)
