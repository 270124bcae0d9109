"""`spotclaim migrate`."""

import typer

from domain.errors import TransientError
from workers.bootstrap import schema
from workers.cli.options import DataOption
from workers.health.startup_checks import database_away
from workers.runtime import log_setup
from workers.settings import load_settings


def add_to(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(migrate)


def migrate(data: DataOption = None) -> None:
    """Bring the database to the present schema."""
    settings = load_settings(data=data)
    log_setup.configure(settings.log_format)
    try:
        schema.migrate(settings)
    except TransientError as error:
        if settings.database_url is None:
            raise
        raise database_away(settings.database_url.get_secret_value(), error) from None
    typer.echo("The database has the present schema.")
