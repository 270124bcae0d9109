"""How a command comes to its application."""

import getpass
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import structlog

from domain.errors import NotFound, SetupError
from workers.bootstrap import schema
from workers.bootstrap.app import App, build
from workers.health.startup_checks import demand_database
from workers.runtime import log_setup
from workers.settings import load_settings, misspelt

log = structlog.get_logger("settings")


@contextmanager
def existing(data: Path | None) -> Iterator[App]:
    """The application over what is there. Raises `SetupError` where nothing is: looking makes no database."""
    settings = load_settings(data=data)
    if settings.database_url is None and not (settings.data / "postgres" / "PG_VERSION").exists():
        raise SetupError(
            f"There is no data of Spotclaim in {settings.data}; name its folder with --data, or begin with `up`."
        )
    with opened(data) as app:
        yield app


@contextmanager
def opened(data: Path | None, **overrides: Any) -> Iterator[App]:
    """The application on its database, which an embedded form makes if need be. Raises `SetupError`.

    Other servers are looked for by whoever uses them; see `workers.cli.running`.
    """
    settings = load_settings(data=data, **overrides)
    log_setup.configure(settings.log_format)
    for name, meant in misspelt():
        log.warning("no such setting", name=name, perhaps=meant)
    with ExitStack() as stack:
        app = build(settings, stack)
        base = app.foundation
        schema.prepare(base)
        demand_database(base)
        base.policies.keep(base.policy.version, base.policy_content, os_user())
        yield app


def claim_named(app: App, name: str) -> dict[str, Any]:
    """Finds a claim by its number or id, or by how its id ends. Raises `NotFound`."""
    claim = app.queries.reports.find_claim(name)
    if claim is None:
        raise NotFound(f"No claim is called {name} or ends with it, or more than one does.")
    return claim


def os_user() -> str:
    """Names who runs a command, for the record; by number where the system has no name."""
    try:
        return f"cli:{getpass.getuser()}"
    except (ImportError, KeyError, OSError):
        return f"cli:{os.getuid()}"
