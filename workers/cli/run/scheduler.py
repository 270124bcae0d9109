"""`spotclaim scheduler`."""

import typer

from workers.cli.options import DataOption
from workers.cli.run.role import MetricsOption, run_role
from workers.roles.scheduler import run


def add_to(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(scheduler)


def scheduler(data: DataOption = None, metrics_port: MetricsOption = None) -> None:
    """Do what is due by the clock: order the audit events and sign checkpoints."""
    run_role(run, data, metrics_port)
