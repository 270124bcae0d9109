"""How a command comes to its application, and the options that commands share."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from domain.errors import SetupError
from workers import roles
from workers.app import App
from workers.bootstrap import build
from workers.health import probes as health
from workers.health.startup_checks import demand_destinations
from workers.runtime import log_setup as telemetry
from workers.settings import load_settings, misspelt

DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder of the embedded form.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


log = structlog.get_logger("settings")


@contextmanager
def existing(data: Path | None, *, destinations_known: bool = True) -> Iterator[App]:
    """The application over what is there. Raises `SetupError` where nothing is: looking makes no database."""
    settings = load_settings(data=data)
    if settings.database_url is None and not (settings.data / "postgres" / "PG_VERSION").exists():
        raise SetupError(
            f"There is no data of Spotclaim in {settings.data}; name its folder with --data, or begin with `up`."
        )
    with opened(data, destinations_known=destinations_known) as app:
        yield app


@contextmanager
def opened(data: Path | None, *, destinations_known: bool = True, **overrides: Any) -> Iterator[App]:
    """The application on its servers, all of which answer. Raises `SetupError`.

    Without `destinations_known` the policy may name some that are not there yet.
    """
    settings = load_settings(data=data, **overrides)
    telemetry.configure(settings.log_format)
    for name, meant in misspelt():
        log.warning("no such setting", name=name, perhaps=meant)
    with ExitStack() as stack:
        app = build(settings, stack)
        roles.prepare(app)
        health.demand_servers(app)
        if destinations_known:
            demand_destinations(app)
        roles.keep_policy(app)
        yield app
