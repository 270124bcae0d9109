"""What short commands of the embedded form do beside their own work: nobody else may be there to do it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.embedded.folder import Occupied, sole_use
from workers.bootstrap.app import App
from workers.health.startup_checks import demand_destinations


@contextmanager
def carrying_on(app: App) -> Iterator[None]:
    """For short commands in the embedded form: afterwards, what is owed is done, here if no `up` does it."""
    if not app.settings.embedded:
        yield
        return
    # Dramatiq takes a tenth of a second, which commands on real servers need not wait for.
    from workers.roles.worker import working

    try:
        with sole_use(app.settings.data):
            app.work.steps.release_all()
            demand_destinations(app)
            with working(app):
                yield
                _drain(app)
    except Occupied:
        yield


def _drain(app: App, patience_seconds: float = 300.0) -> None:
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline and app.work.steps.due():
        if not sum(relay.run_once() for relay in app.work.relays):
            time.sleep(0.02)
