"""`spotclaim relay`."""

import typer

from workers.cli.options import DataOption
from workers.cli.run.role import MetricsOption, run_role
from workers.roles.relay import run


def add_to(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(relay)


def relay(data: DataOption = None, metrics_port: MetricsOption = None) -> None:
    """Send pending steps to the broker."""
    run_role(run, data, metrics_port)
