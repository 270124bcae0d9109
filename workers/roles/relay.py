"""The role `relay`: owed steps are sent to whoever carries them out."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import structlog

from workers.bootstrap.app import App
from workers.roles.background import await_stop, background, serve_metrics

log = structlog.get_logger("spotclaim")


def run(app: App) -> None:
    """Sends owed steps until stopped."""
    serve_metrics(app)
    with relaying(app):
        log.info("relaying")
        await_stop(app.stopping)


@contextmanager
def relaying(app: App) -> Iterator[None]:
    """Within the block this process sends owed steps; those of one lane never wait for those of another."""
    with ExitStack() as stack:
        for relay in app.work.relays:
            stack.enter_context(background(app, "relay", partial(relay.run, app.stopping)))
        yield
