"""`up`: every role in one process."""

from contextlib import ExitStack

from ingest.simulator import demo
from workers.bootstrap.app import App
from workers.roles import ingest
from workers.roles.background import await_stop, background
from workers.roles.console import announce_address, serving
from workers.roles.relay import relaying
from workers.roles.scheduler import scheduling
from workers.roles.worker import working


def run(app: App, *, with_demo: bool) -> None:
    """Everything in this process, until stopped."""
    work = app.work
    if app.settings.embedded:
        work.steps.release_all()
    with ExitStack() as stack:
        stack.enter_context(working(app))
        stack.enter_context(relaying(app))
        stack.enter_context(scheduling(app))
        if work.amqp is not None:
            stack.enter_context(background(app, "ingest", lambda: ingest.run(app)))
        if with_demo:
            stack.enter_context(
                background(app, "demo", lambda: demo.run(work.deliver_batch, app.clock, app.stopping))
            )
        announce_address(app, stack.enter_context(serving(app)))
        await_stop(app.stopping)
