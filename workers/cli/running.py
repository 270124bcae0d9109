"""How a command that brings something in, or runs, comes to its application."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workers.bootstrap.app import App
from workers.cli.application import opened
from workers.health.probes import demand_broker
from workers.health.startup_checks import demand_destinations


@contextmanager
def running(data: Path | None, **overrides: Any) -> Iterator[App]:
    """The application on its servers, which all answer, with the destinations that its policy names.

    Raises `SetupError`.
    """
    with opened(data, **overrides) as app:
        demand_broker(app)
        demand_destinations(app)
        yield app
