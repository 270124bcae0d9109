"""`spotclaim console`."""

import typer

from workers.bootstrap.app import App
from workers.cli.options import DataOption
from workers.cli.run.role import HostOption, PortOption
from workers.cli.running import running
from workers.health.startup_checks import demand_port
from workers.roles.background import until_signalled
from workers.roles.console import give_token, run


def add_to(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(console)


def console(data: DataOption = None, host: HostOption = None, port: PortOption = None) -> None:
    """Serve the HTTP port: pages, API, metrics."""
    with running(data, host=host, port=port) as app, until_signalled(app):
        demand_port(app.settings.host, app.settings.port)
        show_new_token(app)
        run(app)


def show_new_token(app: App) -> None:
    """Prints the first token of an installation, once."""
    token = give_token(app)
    if token:
        typer.echo(f"API token of the role admin, shown this once: {token}")
