"""What the three servers have in common: start, stop, kill, and start again where they were."""

import os
import shutil
import signal
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from tests.servers.child import Child
from tests.servers.loopback import free_port, listening
from tests.servers.waiting import wait_until

LOG_TAIL_LINES = 25


class MissingProgram(Exception):
    """A server's program is not installed."""


class ServerFailed(Exception):
    """A server ended, or kept silent, instead of answering."""


class Server(ABC):
    """A server with a folder and a port of its own, the same after each stop, kill and start."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        self.port = free_port()
        self._children: list[Child] = []

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether clients are served right now."""

    @abstractmethod
    def _prepare(self) -> None:
        """Fill the empty folder, before the first start."""

    @abstractmethod
    def _launch(self) -> list[Child]:
        """Start the processes, the server itself last."""

    @property
    def pid(self) -> int:
        """The process to send signals to."""
        return self._children[-1].pid

    @property
    def running(self) -> bool:
        return bool(self._children) and self._children[-1].running

    def start(self) -> None:
        """Start it, and return once it answers clients.

        Raises ServerFailed if it ends instead, or keeps silent for longer than tests wait.
        """
        if self.running:
            raise ServerFailed(f"{self.name} is running already")
        self.kill()  # a helper process may have outlived the server
        if listening(self.port):  # its answers would pass for ours
            raise ServerFailed(f"{self.name} cannot start: port {self.port} is in use")
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            self._prepare()
        self._children = self._launch()
        if not (wait_until(lambda: not self.running or self.answers()) and self.running):
            self.kill()
            raise ServerFailed(f"{self.name} did not start. Its log ends:\n{self._end_of_log()}")

    def stop(self) -> None:
        """End it in good order."""
        for child in reversed(self._children):
            child.stop(self.stop_signal)

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL to every process it consists of."""
        for child in reversed(self._children):
            child.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])


def environment(home: Path, **settings: str) -> dict[str, str]:
    """All that a server learns of the caller's environment: where programs are."""
    return {"PATH": _search_path(), "LANG": "C.UTF-8", "HOME": str(home), **settings}


def program(name: str, package: str, *places: str) -> str:
    """The path of a program, sought in `places` before PATH.

    Raises MissingProgram, naming the package, if it is in none of them.
    """
    found = shutil.which(name, path=os.pathsep.join([*places, _search_path()]))
    if found is None:
        raise MissingProgram(f"{name} is missing. Install it: apt-get install {package}")
    return found


def _search_path() -> str:
    return os.environ.get("PATH", os.defpath)
