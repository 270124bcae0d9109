"""`spotclaim ingest`."""

import typer

from workers.cli.options import DataOption
from workers.cli.run.role import MetricsOption, run_role
from workers.roles.ingest import run


def add_to(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(ingest)


def ingest(data: DataOption = None, metrics_port: MetricsOption = None) -> None:
    """Consume fault, usage and spot messages from RabbitMQ."""
    run_role(run, data, metrics_port)
