"""What Apprise's plugins reach the network through: guarded connections, and a record of how far an attempt came.

A plugin calls `requests` or `smtplib` by itself and swallows what they raise, so that from its answer nobody can
tell a message that was refused from one that may have arrived. `equip` gives its modules look-alikes of the two.
"""

import contextlib
import re
import smtplib
import socket
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_string
from email.utils import parsedate_to_datetime
from functools import partialmethod
from types import ModuleType
from typing import Any

import apprise.attachment.http as apprise_attachment
import apprise.plugins.email.smtp as apprise_smtp
import requests
import urllib3
from apprise.plugins.email.base import NotifyEmail
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from adapters.address_guard import InternalAddress, connect

CONNECT_SECONDS = 10.0
READ_SECONDS = 15.0
_ANSWER_BYTES = 1 << 20
_GATEWAY_TIMEOUT = 504


@dataclass(slots=True)
class Attempt:
    """One attempt to deliver: what it is to be known by, and what became of its requests."""

    key: str = ""
    allow_internal: bool = False
    # The text part of a mail, in place of the one that Apprise makes of the HTML.
    text: str | None = None
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
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def dial(self, connection: Any, host: str, port: int) -> socket.socket:
        """The line for a connection, if the guard lets it pass. Raises `OSError`."""
        if self.ended:
            raise TimeoutError("the time for this attempt is over")
        self.lost, self.under_way, self.connection = self.may_have_arrived, False, connection
        try:
            line = connect(host, port, CONNECT_SECONDS, allow_internal=self.allow_internal)
        except InternalAddress as refused:
            self.refusal = str(refused)
            raise
        line.settimeout(READ_SECONDS)
        return line


# What a plugin does outside an attempt (some log out when they are thrown away) is guarded all the same.
_attempt: ContextVar[Attempt] = ContextVar("attempt")


def current() -> Attempt:
    """The attempt that this code runs for; Apprise carries it into the threads that it sends from."""
    return _attempt.get(None) or Attempt()


@contextlib.contextmanager
def attempting(attempt: Attempt) -> Iterator[Attempt]:
    """What is sent while the block lasts belongs to this attempt."""
    token = _attempt.set(attempt)
    try:
        yield attempt
    finally:
        _attempt.reset(token)


def equip(plugin: type) -> bool:
    """Gives the modules that a plugin's class is made of their look-alikes; False where there is nothing to give
    one in place of, so that nobody knows how it would reach the network."""
    modules = [sys.modules[kind.__module__] for kind in plugin.__mro__]
    equipped = [module for module in modules if module.__name__.startswith("apprise.") and _equip(module)]
    return bool(equipped) or issubclass(plugin, NotifyEmail)


def _equip(module: ModuleType) -> bool:
    if not hasattr(module, "requests"):
        return False
    vars(module)["requests"] = _REQUESTS
    return True


class _Dialling:
    """How a connection of urllib3 is made. Everything that goes wrong later may have come after the message."""

    def _new_conn(self: Any) -> socket.socket:
        try:
            line = current().dial(self, self._dns_host, self.port)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"{self.host} did not answer") from error
        except OSError as error:
            raise NewConnectionError(self, f"{self.host} cannot be reached: {error}") from error
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        current().under_way = True


class _Connection(_Dialling, HTTPConnection):
    pass


class _SecureConnection(_Dialling, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """Hands the guarded pools to requests, towards proxies as well."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _guard(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        _guard(manager)
        return manager


def _guard(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Requests:
    """`requests` as plugins call it: no redirects, certificates checked, waits and answers bounded."""

    def __getattr__(self, name: str) -> Any:
        return getattr(requests, name)

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """As `requests.request`; the answer's status, and when it asks to be tried again, are on record."""
        attempt = current()
        options |= {"allow_redirects": False, "verify": True, "timeout": (CONNECT_SECONDS, READ_SECONDS)}
        if attempt.key and method.upper() != "GET":
            options["headers"] = {"Idempotency-Key": attempt.key, **(options.get("headers") or {})}
        with requests.Session() as session:
            # A proxy would resolve names where nobody looks at what they resolve to.
            session.trust_env = attempt.allow_internal
            session.mount("http://", _Adapter())
            session.mount("https://", session.get_adapter("http://"))
            answer = session.request(method, url, **options | {"stream": True})
            attempt.under_way = answer.status_code == _GATEWAY_TIMEOUT
            attempt.wait_seconds = _wait_seconds(answer.headers.get("Retry-After"))
            _read(answer)
            return answer

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")
    patch = partialmethod(request, "PATCH")
    delete = partialmethod(request, "DELETE")


def _read(answer: requests.Response) -> None:
    """What the answer says, as far as it came: its status is known already."""
    try:
        answer._content = answer.raw.read(_ANSWER_BYTES, decode_content=True)
    except HTTPError:
        answer._content = b""
    answer._content_consumed = True


def _wait_seconds(said: str | None) -> float | None:
    """RFC 9110: seconds, or a date. None for anything else."""
    if said is None:
        return None
    if re.fullmatch(r"\d{1,9}", said.strip()):
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)


class _Mail(smtplib.SMTP):
    """A mail connection that is guarded, and on record."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return current().dial(self, host, port)

    def sendmail(self, from_addr: str, to_addrs: Any, msg: Any, *args: Any, **options: Any) -> Any:
        """As that of `smtplib`, under a Message-ID that is the same for each attempt."""
        attempt = current()
        mail = message_from_string(msg)
        if attempt.key:
            del mail["Message-ID"]
            mail["Message-ID"] = f"<{attempt.key}@{from_addr.rpartition('@')[2]}>"
        if attempt.text is not None and mail.get_content_type() == "multipart/alternative":
            plain: Any = mail.get_payload(0)
            del plain["Content-Transfer-Encoding"]
            plain.set_payload(attempt.text, "utf-8")
        msg = mail.as_string()
        return super().sendmail(from_addr, to_addrs, msg, *args, **options)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """As that of `smtplib`: from here on the server may have the mail, until it answers."""
        attempt = current()
        attempt.under_way = True
        try:
            answer = super().data(msg)
        except smtplib.SMTPDataError:
            attempt.under_way = False
            raise
        attempt.under_way = False
        return answer


class _SecureMail(smtplib.SMTP_SSL, _Mail):
    """The same under TLS from the first byte: `_Mail` connects beneath it."""


class _Smtplib:
    """`smtplib` as Apprise's mail plugin calls it."""

    SMTP = _Mail
    SMTP_SSL = _SecureMail

    def __getattr__(self, name: str) -> Any:
        return getattr(smtplib, name)


_REQUESTS = _Requests()
_equip(apprise_attachment)
vars(apprise_smtp)["smtplib"] = _Smtplib()
