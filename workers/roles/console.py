"""The role `console`: the HTTP port, with pages, API and metrics."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from ingest.api.app import Inside, create_app
from workers.bootstrap.app import App
from workers.health import probes
from workers.roles.background import await_stop, background

log = structlog.get_logger("spotclaim")


def run(app: App) -> None:
    """Serves the HTTP port until stopped."""
    with serving(app):
        await_stop(app.stopping)


@contextmanager
def serving(app: App) -> Iterator[uvicorn.Server]:
    """Within the block this process serves the HTTP port."""
    server = _server(app)
    with background(app, "http", server.run):
        try:
            yield server
        finally:
            server.should_exit = True


def announce_address(app: App, server: uvicorn.Server) -> None:
    """Waits until the port is open, and says where it is."""
    while not server.started and not app.stopping.wait(0.02):
        pass
    if server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        log.info("ready", console=f"http://{app.settings.host}:{port}", data=str(app.settings.data))


def give_token(app: App) -> str | None:
    """Sets the bootstrap token if one is given, else makes a first token where there is none.

    Returns the token only if it was made here, to be shown once.
    """
    if app.settings.bootstrap_token:
        app.people.tokens.put("bootstrap", "admin", app.settings.bootstrap_token.get_secret_value())
        return None
    if app.people.tokens.any():
        return None
    token = secrets.token_urlsafe(24)
    app.people.tokens.put("bootstrap", "admin", token)
    return token


def _server(app: App) -> uvicorn.Server:
    inside = Inside(
        deliver_batch=app.work.deliver_batch,
        reports=app.queries.reports,
        decide=app.services.decide,
        corrections=app.services.corrections,
        delegations=app.people.delegations,
        clocks=app.queries.clocks,
        evidence=app.services.evidence,
        quarantine=app.services.quarantine,
        incidents=app.services.incidents,
        incident_reports=app.queries.incidents,
        resend=app.notifications.resend,
        silences=app.notifications.silences,
        destinations=app.notifications.destinations,
        authenticate=app.people.tokens,
        bind_key=app.services.bind_key,
        clock=app.clock,
        problems=lambda: probes.problems(app),
        metrics=app.metrics.exposition,
        follow=app.live.feed.follow,
        host=app.settings.host,
    )
    config = uvicorn.Config(
        create_app(inside),
        host=app.settings.host,
        port=app.settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
    )
    return uvicorn.Server(config)
