"""One delivery attempt: its connections, and a record of how far it came."""

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
    """Records one delivery attempt: its idempotency key and the state of its requests."""

    key: str = ""
    allow_internal: bool = False
    # The text part of a mail, in place of the one that Apprise makes of the HTML.
    text: str | None = None
    # The session that its HTTP requests use, unless they open connections of their own.
    session: "requests.Session | None" = None
    # The connection of its last request, to be broken when time is up.
    connection: Any = None
    # Whether a request waits for its answer, and whether one never got it: the message may have arrived.
    under_way: bool = False
    lost: bool = False
    ended: bool = False
    # Why no connection was made, where the guard refused it.
    refusal: str = ""
    # How long the destination asks us to wait (`Retry-After`).
    wait_seconds: float | None = None

    @property
    def may_have_arrived(self) -> bool:
        """Tells whether a request went out whose fate is unknown."""
        return self.lost or self.under_way

    def cut(self) -> None:
        """Breaks the connection in use and forbids new ones. Whoever waits for it gets an error at once."""
        self.ended = True
        line = getattr(self.connection, "sock", None)
        # TLS through a proxy that speaks TLS itself is no socket, but has one.
        line = getattr(line, "socket", line)
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def begin(self) -> None:
        """Notes that another request begins; an answer to the one before can no longer come."""
        self.lost, self.under_way = self.may_have_arrived, False

    def take(self, connection: Any) -> None:
        """Registers the connection that a request uses. Raises `TimeoutError` after the deadline."""
        if self.ended:
            raise TimeoutError("the time for this attempt is over")
        self.connection = connection

    def dial(self, connection: Any, host: str, port: int) -> socket.socket:
        """Opens a socket for a connection if the SSRF guard allows its address. Raises `OSError`."""
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


# What a plugin does outside an attempt (some log out when they are deleted) is guarded as well.
_attempt: ContextVar[Attempt] = ContextVar("attempt")


def current() -> Attempt:
    """Returns the attempt that the calling code runs for.

    Outside any attempt it is a new one that allows no internal address.
    """
    return _attempt.get(None) or Attempt()


@contextlib.contextmanager
def attempting(attempt: Attempt) -> Iterator[Attempt]:
    """Assigns everything sent within the block to this attempt."""
    token = _attempt.set(attempt)
    try:
        yield attempt
    finally:
        _attempt.reset(token)
