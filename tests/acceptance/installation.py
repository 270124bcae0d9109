"""Spotclaim as an operator runs it: real processes that get nothing but an environment and a command line."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import psycopg2

from tests.servers.server import environment
from tests.servers.waiting import PATIENCE_SECONDS, wait_until

SPOTCLAIM = str(Path(sys.executable).with_name("spotclaim"))


def settings(**given: object) -> dict[str, str]:
    """The whole environment of a process: where programs are, and these settings of Spotclaim.

    Few tests are about the gates of the policy, so it is the lenient one unless another is given.
    """
    named = {f"SPOTCLAIM_{name.upper()}": str(value) for name, value in ({"policy": "lenient"} | given).items()}
    return environment(Path.home(), **named)


def await_that(what: str, happened: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Waits until it happened, and fails in these words if it does not in time."""
    assert wait_until(happened, seconds), f"not within {seconds:g} seconds: {what}"


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        return json.loads(self.output)


def command(given: dict[str, str], *arguments: object) -> Answer:
    """Runs one command of spotclaim to its end, which must come in time."""
    done = subprocess.run(
        [SPOTCLAIM, *map(str, arguments)],
        env=given,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def succeed(given: dict[str, str], *arguments: object) -> Answer:
    """Runs one command that must end well."""
    answer = command(given, *arguments)
    assert answer.code == 0, f"spotclaim {' '.join(map(str, arguments))}: {answer}"
    return answer


class Process:
    """A command of spotclaim that runs until it is stopped, and everything it ever said."""

    def __init__(self, log: Path, given: dict[str, str], *arguments: object) -> None:
        self._log = log
        self._given = given
        self._arguments = [SPOTCLAIM, *map(str, arguments)]
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def said(self) -> str:
        """What it said since its last start."""
        return self._log.read_bytes()[self._said_before :].decode()

    def launch(self) -> None:
        """Starts it, in a session of its own, as a terminal does."""
        assert not self.running
        with self._log.open("ab") as log:
            self._said_before = log.tell()
            self._process = subprocess.Popen(
                self._arguments,
                env=self._given,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self, *, until_it_says: str) -> None:
        """Starts it, and returns once it says that it is ready."""
        self.launch()
        self.await_word(until_it_says)

    def await_word(self, word: str) -> None:
        wait_until(lambda: word in self.said or not self.running)
        assert word in self.said, f"{self._arguments} did not say {word!r}:\n{self.said[-3000:]}"

    def kill(self) -> None:
        """As a power cut would: SIGKILL to this process alone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def interrupt(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ctrl-C, which reaches every process of the terminal's session."""
        assert self._process is not None
        os.killpg(self._process.pid, how)

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C, and the exit code."""
        self.interrupt(how)
        return self.await_end()

    def await_end(self, seconds: float = PATIENCE_SECONDS) -> int:
        """The exit code, which must come in time."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self._arguments} did not end in {seconds:g} s:\n{self.said[-3000:]}") from None


class Roles:
    """The processes of a distributed installation, each of which may be killed and started again."""

    USUAL: ClassVar = ("ingest", "worker", "relay")
    READY: ClassVar = {"ingest": "consuming", "worker": "working", "relay": "relaying", "scheduler": "scheduling"}

    def __init__(self, folder: Path, given: dict[str, str], *more: str) -> None:
        """The usual roles, and `more`."""
        names = (*self.USUAL, *more)
        self._processes = {name: Process(folder / f"{name}.log", given, name) for name in names}

    def __getitem__(self, name: str) -> Process:
        return self._processes[name]

    def start(self) -> None:
        """Starts whichever do not run, together, and returns when all are ready."""
        idle = {name: process for name, process in self._processes.items() if not process.running}
        for process in idle.values():
            process.launch()
        for name, process in idle.items():
            process.await_word(self.READY[name])

    def restart(self, name: str) -> None:
        self[name].start(until_it_says=self.READY[name])

    def stop(self) -> dict[str, int]:
        """Ctrl-C to all, and their exit codes."""
        for process in self._processes.values():
            process.interrupt()
        return {name: process.await_end() for name, process in self._processes.items()}

    def kill(self) -> None:
        for process in self._processes.values():
            process.kill()


class Database:
    """The truth, read directly and not through Spotclaim."""

    def __init__(self, url: str) -> None:
        self._dsn = url.replace("+psycopg2", "", 1)

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self._dsn)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall()
        finally:
            connection.close()

    def number(self, statement: str, *parameters: object) -> int:
        return int(self.rows(statement, *parameters)[0][0])

    @property
    def steps_due(self) -> int:
        """Digests that gather are owed too, though they are due only later."""
        return self.number("SELECT count(*) FROM steps WHERE due_at <= now() OR kind = 'digest'")
