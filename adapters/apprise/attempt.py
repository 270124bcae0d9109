"""One attempt to deliver a message: how its connections are made, and a record of how far it came."""

import contextlib
import socket
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.apprise.ssrf_guard import InternalAddress, connect

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 10.0
READ_SECONDS = 15.0


@dataclass(slots=True)
class Attempt:
    """One attempt to deliver: what it is to be known by, and what became of its requests."""

    key: str = ""
    allow_internal: bool = False
    # The text part of a mail, in place of the one that Apprise makes of the HTML.
    text: str | None = None
    # What its requests of HTTP go through, if they need not make connections of their own.
    session: "requests.Session | None" = None
    # The last request of HTTP or mail, to be cut off when time is up.
    connection: Any = None
    # Whether a request is out whose answer has not come, and whether one never came: it may have been taken.
    under_way: bool = False
    lost: bool = False
    ended: bool = False
    # Why no connection was made, where the guard refused it.
    refusal: str = ""
    # How long the destination asks to be left alone.
    wait_seconds: float | None = None

    @property
    def may_have_arrived(self) -> bool:
        """Whether something went out, and nobody knows what became of it."""
        return self.lost or self.under_way

    def cut(self) -> None:
        """Ends what is under way: whoever waits for it finds the connection broken, and can make no other."""
        self.ended = True
        line = getattr(self.connection, "sock", None)
        # TLS through a proxy that speaks TLS itself is no socket, but has one.
        line = getattr(line, "socket", line)
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def begin(self) -> None:
        """One more request begins; if no answer came to the one before, none will."""
        self.lost, self.under_way = self.may_have_arrived, False

    def take(self, connection: Any) -> None:
        """The request goes through this connection. Raises `TimeoutError` if it is too late for that."""
        if self.ended:
            raise TimeoutError("the time for this attempt is over")
        self.connection = connection

    def dial(self, connection: Any, host: str, port: int) -> socket.socket:
        """The line for a connection, if the guard lets it pass. Raises `OSError`."""
        self.take(connection)
        try:
            line = connect(host, port, CONNECT_SECONDS, allow_internal=self.allow_internal)
        except InternalAddress as refused:
            self.refusal = str(refused)
            raise
        if self.ended:
            line.close()
            raise TimeoutError("the time for this attempt is over")
        line.settimeout(READ_SECONDS)
        return line


# What a plugin does outside an attempt (some log out when they are thrown away) is guarded all the same.
_attempt: ContextVar[Attempt] = ContextVar("attempt")


def current() -> Attempt:
    """The attempt that this code runs for; outside one, an attempt of its own that allows nothing inside."""
    return _attempt.get(None) or Attempt()


@contextlib.contextmanager
def attempting(attempt: Attempt) -> Iterator[Attempt]:
    """What is sent while the block lasts belongs to this attempt."""
    token = _attempt.set(attempt)
    try:
        yield attempt
    finally:
        _attempt.reset(token)
