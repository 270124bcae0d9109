"""Real PostgreSQL, RabbitMQ and Redis for tests: private, on free loopback ports, in a temporary folder.

    with servers() as running:
        running.rabbitmq.kill()  # SIGKILL
        running.rabbitmq.start()  # same port, same data

`python -m tests.servers` does the same from a shell.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitMQServer
from tests.servers.redis import RedisServer
from tests.servers.server import MissingProgram, Server, ServerFailed

__all__ = [
    "MissingProgram",
    "PostgresServer",
    "RabbitMQServer",
    "RedisServer",
    "Server",
    "ServerFailed",
    "Servers",
    "servers",
    "temporary_folder",
]


@dataclass(frozen=True)
class Servers:
    """The three servers, started together."""

    postgres: PostgresServer
    rabbitmq: RabbitMQServer
    redis: RedisServer

    def start(self) -> None:
        self._together(lambda server: server.start())

    def kill(self) -> None:
        self._together(lambda server: server.kill())

    def _together(self, act: Callable[[Server], None]) -> None:
        everyone: list[Server] = [self.postgres, self.rabbitmq, self.redis]
        with ThreadPoolExecutor(len(everyone)) as pool:
            for done in [pool.submit(act, server) for server in everyone]:
                done.result()


@contextmanager
def servers() -> Iterator[Servers]:
    """The three servers, running; ended at the end, and their data removed."""
    with temporary_folder() as folder:
        running = Servers(
            PostgresServer(folder / "postgres"),
            RabbitMQServer(folder / "rabbitmq"),
            RedisServer(folder / "redis"),
        )
        try:
            running.start()
            yield running
        finally:
            running.kill()  # RabbitMQ takes six seconds to stop in good order, for data nobody will read


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for a server's data, removed at the end.

    Use it rather than pytest's `tmp_path`, which another pytest run may close to PostgreSQL's account.
    """
    folder = Path(tempfile.mkdtemp(prefix="spotclaim-servers-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
