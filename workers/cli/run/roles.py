"""Commands that run until they are told to stop."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from adapters import embedded
from adapters.postgres.migrations import migrate as run_migrations
from domain.errors import SetupError, TransientError
from workers import roles
from workers.app import App
from workers.cli.application import DataOption, opened
from workers.health import probes as health
from workers.runtime import log_setup as telemetry
from workers.settings import load_settings

HostOption = Annotated[str | None, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int | None, typer.Option(help="HTTP port; 0 for any free one.")]
MetricsOption = Annotated[int | None, typer.Option(help="Port of /metrics; 0 for none.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (up, ingest, worker, relay, scheduler, console, migrate):
        app.command()(command)


def up(
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
    demo: Annotated[bool, typer.Option("--demo", help="Invent a fleet that has troubles.")] = False,
) -> None:
    """Run the whole system in this process."""
    settings = load_settings(data=data, host=host, port=port)
    with embedded.sole_use(settings.data), opened(data, host=host, port=port) as app, roles.until_signalled(app):
        health.demand_port(app.settings.host, app.settings.port)
        _show_new_token(app)
        roles.run_up(app, with_demo=demo)


def ingest(data: DataOption = None, metrics_port: MetricsOption = None) -> None:
    """Consume fault, usage and spot messages from RabbitMQ."""
    _run(roles.run_ingest, data, metrics_port)


def worker(data: DataOption = None, metrics_port: MetricsOption = None) -> None:
    """Take in batches and carry out steps."""
    _run(roles.run_worker, data, metrics_port)


def relay(data: DataOption = None, metrics_port: MetricsOption = None) -> None:
    """Send owed steps to the broker."""
    _run(roles.run_relay, data, metrics_port)


def scheduler(data: DataOption = None, metrics_port: MetricsOption = None) -> None:
    """Do what is due by the clock: order the audit events and sign checkpoints."""
    _run(roles.run_scheduler, data, metrics_port)


def console(data: DataOption = None, host: HostOption = None, port: PortOption = None) -> None:
    """Serve the HTTP port: pages, API, metrics."""
    with opened(data, host=host, port=port) as app, roles.until_signalled(app):
        health.demand_port(app.settings.host, app.settings.port)
        _show_new_token(app)
        roles.run_console(app)


def migrate(data: DataOption = None) -> None:
    """Bring the database to the present schema."""
    settings = load_settings(data=data)
    telemetry.configure(settings.log_format)
    if settings.database_url:
        _migrate_server(settings.database_url.get_secret_value())
    else:
        with embedded.postgres(settings.data.resolve() / "postgres") as url:
            run_migrations(url)
    typer.echo("The database has the present schema.")


def _migrate_server(url: str) -> None:
    try:
        run_migrations(url)
    except TransientError as error:
        raise health.database_away(url, error) from None


def _show_new_token(app: App) -> None:
    token = roles.give_token(app)
    if token:
        typer.echo(f"API token of the role admin, shown this once: {token}")


def _run(role: Callable[[App], None], data: Path | None, metrics_port: int | None) -> None:
    settings = load_settings(data=data, metrics_port=metrics_port)
    if settings.amqp_url is None:
        raise SetupError(
            "SPOTCLAIM_AMQP_URL is not set: a role by itself needs a broker; `spotclaim up` needs none."
        )
    if settings.metrics_port:
        health.demand_port(settings.host, settings.metrics_port, "SPOTCLAIM_METRICS_PORT")
    with opened(data, metrics_port=metrics_port) as app, roles.until_signalled(app):
        role(app)
