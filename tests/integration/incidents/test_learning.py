"""Learning what is usual: beside the scheduler's other work, which does not wait for it."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.builders import a_fault
from tests.integration.parts import PATIENCE_SECONDS, Everyone, Spotclaim
from tests.servers.waiting import wait_until
from workers.bootstrap.app import App, build
from workers.roles import scheduler
from workers.settings import load_settings


@pytest.fixture
def app(emptied_database_url: str, tmp_path: Path) -> Iterator[App]:
    with ExitStack() as stack:
        settings = load_settings(database_url=emptied_database_url, data=tmp_path, scheduler_poll_seconds=0.05)
        yield build(settings, stack, notifier=Everyone())


@pytest.fixture
def scheduling(app: App) -> Iterator[threading.Thread]:
    """The role in a thread of its own."""
    thread = threading.Thread(target=scheduler.run, args=[app])
    yield thread
    app.stopping.set()
    thread.join(2 * PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_the_log_grows_while_learning_is_held_up(app: App, scheduling: threading.Thread) -> None:
    """However long that lasts; and what is usual is learnt in the end."""
    spotclaim = Spotclaim(app.foundation.engine)

    with app.foundation.engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE baselines IN ACCESS EXCLUSIVE MODE")
        scheduling.start()
        assert wait_until(lambda: spotclaim.waiting() == 1, PATIENCE_SECONDS)
        spotclaim.take_in(faults=[a_fault()])
        assert wait_until(lambda: app.audit.log.size() > 0, PATIENCE_SECONDS)
        assert spotclaim.waiting() == 1

    assert wait_until(lambda: app.queries.baselines.last() is not None, PATIENCE_SECONDS)
