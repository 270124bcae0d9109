"""`spotclaim worker`."""

import typer

from workers.cli.options import DataOption
from workers.cli.run.role import MetricsOption, run_role
from workers.roles.worker import run


def add_to(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(worker)


def worker(data: DataOption = None, metrics_port: MetricsOption = None) -> None:
    """Ingest batches and carry out steps."""
    run_role(run, data, metrics_port)
