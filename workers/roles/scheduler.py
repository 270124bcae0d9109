"""The role `scheduler`: what is due by the clock is done."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import structlog

from workers.bootstrap.app import App
from workers.roles.background import await_stop, background, serve_metrics
from workers.runtime.baseline_service import BaselineService

log = structlog.get_logger("spotclaim")


def run(app: App) -> None:
    """Does what is due by the clock until stopped."""
    app.audit.checkpoints.demand_key()
    serve_metrics(app)
    log.info("scheduling")
    with scheduling(app):
        await_stop(app.stopping)


@contextmanager
def scheduling(app: App) -> Iterator[None]:
    """Within the block this process orders and signs the audit log, and learns what is usual."""
    services = app.audit.service, BaselineService(lambda: app.queries.baselines.learn(app.clock()))
    with ExitStack() as stack:
        for service in services:
            stack.enter_context(background(app, service.name, partial(service.run, app.stopping)))
        yield
