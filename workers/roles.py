"""The roles: what each process of a distributed installation runs, and `up`, which runs them all in one."""

import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import dramatiq
import structlog
from prometheus_client import start_http_server

from adapters import embedded
from adapters.audit.signing_key import signing_key
from adapters.postgres.migrations import migrate
from domain.errors import SetupError, SpotclaimError
from ingest.ocpp.queue import FrameDoor
from ingest.rabbitmq.consumer import Consumer, EventDoor
from ingest.simulator import demo
from workers.app import App
from workers.bootstrap import STEP_KINDS
from workers.health import probes as health
from workers.runtime.actors import INTAKE_QUEUE, queue_of
from workers.runtime.garbage_collection import calm_the_collector

if TYPE_CHECKING:
    import uvicorn

log = structlog.get_logger("spotclaim")

_STOP_SECONDS = 10
_STEP_QUEUES = {queue_of(kind) for kind in STEP_KINDS}


@contextmanager
def until_signalled(app: App) -> Iterator[None]:
    """Within the block SIGINT and SIGTERM set `app.stopping`."""

    def stop(_number: int, _frame: object) -> None:
        app.stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_ingest(app: App) -> None:
    """Consumes RabbitMQ until told to stop."""
    if app.amqp is None:
        raise SetupError("SPOTCLAIM_AMQP_URL is not set: there is no broker to consume from.")
    require_user_id = app.settings.require_user_id
    events = EventDoor(app.hand_over, app.clock, require_user_id=require_user_id)
    frames = FrameDoor(
        app.hand_over, app.station_memory, app.clock, app.metered.ignored, require_user_id=require_user_id
    )
    _serve_metrics(app)
    calm_the_collector()
    with _background(app, "ocpp", Consumer(app.amqp, frames, stopping=app.stopping).run):
        Consumer(app.amqp, events, stopping=app.stopping).run()


def run_worker(app: App) -> None:
    """Carries out intake and steps until told to stop."""
    _serve_metrics(app)
    calm_the_collector()
    with working(app):
        log.info("working", threads=app.settings.worker_threads, delivery_threads=app.settings.delivery_threads)
        app.stopping.wait()


def run_relay(app: App) -> None:
    """Sends owed steps until told to stop."""
    _serve_metrics(app)
    with relaying(app):
        log.info("relaying")
        app.stopping.wait()


def run_scheduler(app: App) -> None:
    """Does what is due by the clock until told to stop."""
    signing_key(app.settings.audit_key_file)
    _serve_metrics(app)
    log.info("scheduling")
    with _background(app, "learning", lambda: app.learning.run(app.stopping)):
        app.scheduler.run(app.stopping)


def run_console(app: App) -> None:
    """Serves the HTTP port until told to stop."""
    server = _server(app)
    with _background(app, "http", server.run):
        app.stopping.wait()
        server.should_exit = True


def run_up(app: App, *, with_demo: bool) -> None:
    """Everything in this process, until told to stop."""
    if app.settings.embedded:
        app.steps.release_all()
    server = _server(app)
    with ExitStack() as stack:
        stack.enter_context(working(app))
        stack.enter_context(relaying(app))
        stack.enter_context(_background(app, "scheduler", lambda: app.scheduler.run(app.stopping)))
        stack.enter_context(_background(app, "learning", lambda: app.learning.run(app.stopping)))
        if app.amqp is not None:
            stack.enter_context(_background(app, "ingest", lambda: run_ingest(app)))
        if with_demo:
            stack.enter_context(_background(app, "demo", lambda: demo.run(app.hand_over, app.clock, app.stopping)))
        stack.enter_context(_background(app, "http", server.run))
        _announce_address(app, server)
        app.stopping.wait()
        server.should_exit = True


def give_token(app: App) -> str | None:
    """Sets the bootstrap token if one is given, else makes a first token where there is none.

    Returns the token only if it was made here, to be shown once.
    """
    if app.settings.bootstrap_token:
        app.tokens.put("bootstrap", "admin", app.settings.bootstrap_token.get_secret_value())
        return None
    if app.tokens.any():
        return None
    token = secrets.token_urlsafe(24)
    app.tokens.put("bootstrap", "admin", token)
    return token


@contextmanager
def relaying(app: App) -> Iterator[None]:
    """Within the block this process sends owed steps; those of one lane never wait for those of another."""
    with ExitStack() as stack:
        for relay in app.relays:
            stack.enter_context(_background(app, "relay", partial(relay.run, app.stopping)))
        yield


@contextmanager
def working(app: App) -> Iterator[None]:
    """Within the block this process carries out intake and steps. Deliveries have threads of their own."""
    settings = app.settings
    intake = {INTAKE_QUEUE} if app.amqp else set()
    workers = [
        dramatiq.Worker(
            app.step_broker,
            queues=_STEP_QUEUES | intake,
            worker_threads=settings.worker_threads,
            worker_timeout=100,
        ),
        dramatiq.Worker(
            app.delivery_broker,
            queues={queue_of("deliver")},
            worker_threads=settings.delivery_threads,
            worker_timeout=100,
        ),
    ]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        app.stopping.set()
        for worker in workers:
            worker.stop(timeout=_STOP_SECONDS * 1000)


@contextmanager
def carrying_on(app: App) -> Iterator[None]:
    """For short commands in the embedded form: afterwards, what is owed is done, here if no `up` does it."""
    if not app.settings.embedded:
        yield
        return
    try:
        with embedded.sole_use(app.settings.data):
            app.steps.release_all()
            with working(app):
                yield
                _drain(app)
    except embedded.Occupied:
        yield


def _drain(app: App, patience_seconds: float = 300.0) -> None:
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline and app.steps.due():
        if not sum(relay.run_once() for relay in app.relays):
            time.sleep(0.02)


def prepare(app: App) -> None:
    """Brings an embedded database to the present schema; a real server's is changed by `migrate` alone."""
    if app.settings.database_url is None:
        migrate(app.database_url)


def keep_policy(app: App) -> None:
    """Keeps the present policy for the claims that it will bind. Raises `SetupError` if its version is taken."""
    app.policies.keep(app.policy.version, app.policy_content)


class PartFailed(SpotclaimError):
    """A part of the process failed, so the whole process ended."""


@contextmanager
def _background(app: App, name: str, run: Callable[[], None]) -> Iterator[None]:
    """A thread for the block. If it fails, everything stops: half a system that looks alive helps nobody.

    Raises `PartFailed` at the end of the block then.
    """
    failed = Event()

    def guarded() -> None:
        try:
            run()
        except BaseException:
            log.exception("stopping", failed=name)
            failed.set()
        finally:
            app.stopping.set()

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        app.stopping.set()
        thread.join(_STOP_SECONDS)
    if failed.is_set():
        raise PartFailed(f"The process ended because its part `{name}` failed; the log says why.")


def _serve_metrics(app: App) -> None:
    if app.settings.metrics_port:
        start_http_server(app.settings.metrics_port, app.settings.host, registry=app.registry)


def _server(app: App) -> "uvicorn.Server":
    # They take half a second to import, which only this role must wait for.
    import uvicorn

    from ingest.api.app import Inside, create_app

    inside = Inside(
        hand_over=app.hand_over,
        reports=app.reports,
        decide=app.decide,
        delegations=app.delegations,
        clocks=app.clocks,
        evidence=app.evidence,
        quarantine=app.quarantine,
        incidents=app.incident_desk,
        incident_reports=app.incident_reports,
        resend=app.resend,
        silences=app.silences,
        destinations=app.destinations,
        authenticate=app.tokens,
        bind_key=app.bind_key,
        clock=app.clock,
        problems=lambda: health.problems(app),
        metrics=app.metrics,
        follow=app.feed.follow,
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


def _announce_address(app: App, server: "uvicorn.Server") -> None:
    while not server.started and not app.stopping.wait(0.02):
        pass
    if server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        log.info("ready", console=f"http://{app.settings.host}:{port}", data=str(app.settings.data))
