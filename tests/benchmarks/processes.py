"""Role processes: started, awaited by what they log, stopped, and asked how much memory they ever had."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.corner import Corner
from tests.servers.child import Child
from tests.servers.waiting import wait_until

_BIN = Path(sys.executable).parent
_READY = {"ingest": "consuming", "worker": "working", "relay": "relaying", "scheduler": "scheduling"}


class ProcessFailed(Exception):
    """A process under measurement ended, or did not say that it is ready."""


class Process:
    """One process under measurement, with its log."""

    def __init__(self, name: str, command: list[str], corner: Corner, **settings: str) -> None:
        self.name = name
        self._log = corner.folder / f"{name}.log"
        self._child = Child(command, log=self._log, environment=corner.environment | settings)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.running

    def await_line(self, text: str) -> None:
        """Returns once the process has logged the text. Raises `ProcessFailed`."""
        wait_until(lambda: not self.running or text in self._logged())
        if text not in self._logged():
            raise ProcessFailed(f"{self.name} is not ready. {self.log_tail()}")

    def log_tail(self) -> str:
        return "Its log ends:\n" + "\n".join(self._logged().splitlines()[-15:])

    def peak_memory_mib(self) -> float:
        """The most resident memory that the process ever had (VmHWM)."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise ProcessFailed(f"{self.name} tells no VmHWM")

    def stop(self) -> None:
        self._child.stop(signal.SIGTERM)
        self._child.kill()

    def kill(self) -> None:
        self._child.kill()

    def _logged(self) -> str:
        return self._log.read_text(errors="replace")


def tool(name: str) -> str:
    """The path of a command that is installed beside this interpreter."""
    return str(_BIN / name)


@contextmanager
def started(process: Process) -> Iterator[Process]:
    """The process, stopped at the end of the block."""
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def role(name: str, corner: Corner, *arguments: str, ready: bool = True, **settings: str) -> Iterator[Process]:
    """A `spotclaim` role process; with `ready`, the block begins when it says that it works."""
    with started(Process(name, [tool("spotclaim"), name, *arguments], corner, **settings)) as process:
        if ready and name in _READY:
            process.await_line(_READY[name])
        yield process
