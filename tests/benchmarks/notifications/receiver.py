"""Who is notified: a web hook in a process of its own that takes every post at once and notes when it came.

`python -m tests.benchmarks.notifications.receiver PORT FILE`. It is plain and the same for everybody, so that what
is measured is the sender. A line of the file is a moment of the machine's clock, the Idempotency-Key or `-`, and
the body.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tests.benchmarks.corner import Corner
from tests.benchmarks.processes import Process, started
from tests.servers.loopback import HOST, free_port

_READY = "receiving"
_HEAD_BYTES = 64 * 1024
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Post:
    """What was posted, when, and under which key."""

    at: float
    key: str
    body: bytes


@dataclass(frozen=True)
class Receiver:
    """The web hook, as those see it who send to it and those who look what came."""

    port: int
    file: Path

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def posts(self) -> list[Post]:
        """All there are so far, in the order in which they came."""
        whole, _, _ = self.file.read_bytes().rpartition(b"\n")
        return [_post(line) for line in whole.splitlines()]


@contextmanager
def receiver(corner: Corner, name: str = "receiver") -> Iterator[Receiver]:
    """A web hook while the block lasts."""
    there = Receiver(free_port(), corner.folder / f"{name}.posts")
    command = [sys.executable, "-m", "tests.benchmarks.notifications.receiver", str(there.port), str(there.file)]
    with started(Process(name, command, corner)) as process:
        process.await_line(_READY)
        yield there


def _post(line: bytes) -> Post:
    at, key, body = line.split(b" ", 2)
    return Post(float(at), key.decode(), body)


async def _serve(port: int, path: Path) -> None:
    with path.open("ab", buffering=0) as file:

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    await _take_one(reader, writer, file)
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(take, HOST, port, limit=_HEAD_BYTES, backlog=1024)
        print(_READY, flush=True)
        await server.serve_forever()


async def _take_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, file: BinaryIO) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head[1:])}
    body = await reader.readexactly(int(fields.get(b"content-length", 0)))
    moment = time.monotonic()
    file.write(b"%.6f %s %s\n" % (moment, fields.get(b"idempotency-key", b"-"), body.replace(b"\n", b" ")))
    writer.write(_ANSWER)
    await writer.drain()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
