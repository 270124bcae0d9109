"""Redis, which keeps nothing on disk: losing it must lose no truth."""

from pathlib import Path

from tests.servers.child import Child
from tests.servers.loopback import HOST, reply
from tests.servers.server import Server, environment, program

DATABASES = 64  # one for each pytest-xdist worker


class RedisServer(Server):
    """A Redis that is empty after each start."""

    name = "Redis"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._program = program("redis-server", "redis-server")

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def answers(self) -> bool:
        return reply(self.port, b"PING\r\n").startswith(b"+PONG")

    def _prepare(self) -> None:
        pass

    def _launch(self) -> list[Child]:
        options = {
            "bind": HOST,
            "port": str(self.port),
            "dir": str(self.folder),
            "databases": str(DATABASES),
            "save": "",
            "appendonly": "no",
        }
        arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
        return [Child([self._program, *arguments], log=self.log, environment=environment(self.folder))]
