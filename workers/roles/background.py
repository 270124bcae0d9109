"""What every role does: it ends on a signal, and as a whole when a part of it fails."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Final

import structlog

from domain.errors import SpotclaimError
from workers.bootstrap.app import App

log = structlog.get_logger("spotclaim")

STOP_SECONDS: Final = 10
_LOOK_SECONDS: Final = 0.5


class PartFailed(SpotclaimError):
    """A part of the process failed, so the whole process ended."""


def serve_metrics(app: App) -> None:
    """Serves /metrics where the settings name a port for it, for the roles that serve no other."""
    if app.settings.metrics_port:
        app.metrics.serve(app.settings.host, app.settings.metrics_port)


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


def await_stop(stopping: Event) -> None:
    """Waits until told to stop, and never for long: a wait does not hear a signal that comes just before it."""
    while not stopping.wait(_LOOK_SECONDS):
        pass


@contextmanager
def background(app: App, name: str, run: Callable[[], None]) -> Iterator[None]:
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
        thread.join(STOP_SECONDS)
    if failed.is_set():
        raise PartFailed(f"The process ended because its part `{name}` failed; the log says why.")
