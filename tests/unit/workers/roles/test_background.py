"""Roles end when they are told to, and as a whole."""

import subprocess
import sys
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from workers.roles.background import PartFailed, background

# The signal is handled in another thread, as if it had come just before the main one began to wait.
UNHEARD = """
import signal, threading, time
from types import SimpleNamespace
from workers.roles.background import await_stop, until_signalled

def signal_here():
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

app = SimpleNamespace(stopping=threading.Event())
with until_signalled(app):
    threading.Thread(target=signal_here).start()
    await_stop(app.stopping)
"""


def test_a_signal_that_does_not_end_the_wait_is_heard_all_the_same() -> None:
    """Soon."""
    done = subprocess.run([sys.executable, "-c", UNHEARD], timeout=60, check=False)

    assert done.returncode == 0


def test_a_part_that_fails_ends_the_rest() -> None:
    """The error names it."""
    app: Any = SimpleNamespace(stopping=Event())

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(PartFailed, match="`learning`"), background(app, "learning", fail):
        assert app.stopping.wait(60)
