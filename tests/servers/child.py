"""A process that we started, and so may end."""

import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.servers.waiting import PATIENCE_SECONDS, wait_until


@dataclass(frozen=True)
class Account:
    """The unprivileged account that a process runs under."""

    user: int
    group: int


def run_as(account: Account | None) -> dict[str, Any]:
    """The arguments that make `subprocess` start a program under another account; none for our own."""
    return {"user": account.user, "group": account.group, "extra_groups": []} if account else {}


class Child:
    """A process together with whatever it starts itself."""

    def __init__(
        self, command: list[str], *, log: Path, environment: Mapping[str, str], account: Account | None = None
    ) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                **run_as(account),
                start_new_session=True,  # Ctrl-C on the terminal is for us: we stop the servers in order
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self, stop_signal: signal.Signals) -> None:
        """Ask it to end; kill it if it has not after `PATIENCE_SECONDS`."""
        if not self.running:
            return
        self._process.send_signal(stop_signal)
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL it and all that it started, and return when none of them is left."""
        if not self.running:
            return
        parent = psutil.Process(self.pid)
        parent.suspend()  # so that it starts nothing more while we look
        family = [*parent.children(recursive=True), parent]
        for member in reversed(family):
            _kill(member)
        self._process.wait(PATIENCE_SECONDS)
        wait_until(lambda: not any(_alive(member) for member in family))


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()


def _alive(process: psutil.Process) -> bool:
    """Whether it still holds memory and ports; a zombie, which nobody may ever reap, holds neither."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
