"""Guards the HTTP connections of Apprise's plugins and records how far an attempt came.

A plugin calls `requests` or `smtplib` by itself and swallows what they raise, so its answer does not distinguish a
message that was refused from one that may have arrived. Its modules get replacements of the two: that of
`requests` from `guard_plugin`, that of `smtplib` from `adapters.apprise.smtp`.
"""

import re
import socket
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache, partialmethod
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import apprise.attachment.http as apprise_attachment
import requests
import urllib3
from apprise.plugins.email.base import NotifyEmail
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from adapters.apprise import smtp
from adapters.apprise.attempt import CONNECT_SECONDS, READ_SECONDS, current

_ANSWER_BYTES = 1 << 20
_GATEWAY_TIMEOUT = 504
# Servers keep an idle connection for five seconds or more.
_KEPT_SECONDS = 1.0


def guard_plugin(plugin: type) -> bool:
    """Replaces `requests` in the modules of a plugin's class.

    Returns False where there is nothing to replace, so that it is unknown how the plugin would reach the network.
    """
    modules = [sys.modules[kind.__module__] for kind in plugin.__mro__]
    equipped = [module for module in modules if module.__name__.startswith("apprise.") and _equip(module)]
    return bool(equipped) or issubclass(plugin, NotifyEmail)


def _equip(module: ModuleType) -> bool:
    if not hasattr(module, "requests"):
        return False
    vars(module)["requests"] = _REQUESTS
    return True


class _Dialling:
    """Opens a connection of urllib3 through the guard.

    Any failure after that may have happened once the message was received.
    """

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

    def request(self: Any, *args: Any, **options: Any) -> None:
        if self.sock is not None:
            attempt = current()
            attempt.take(self)
            attempt.under_way = True
        super().request(*args, **options)  # type: ignore[misc]


class _Connection(_Dialling, HTTPConnection):
    pass


class _SecureConnection(_Dialling, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """Gives requests the guarded connection pools, for proxies as well."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _guard(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        _guard(manager)
        return manager


def _guard(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


@lru_cache(maxsize=64)
def _environment(scheme: str, host: str) -> dict[str, Any]:
    """Returns the proxy and the certificates that the environment sets for a host.

    Cached, because reading them takes longer than sending a message.
    """
    with requests.Session() as session:
        return dict(session.merge_environment_settings(f"{scheme}://{host}", {}, None, True, None))


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", _Adapter())
    session.mount("https://", session.get_adapter("http://"))
    return session


class SessionPool:
    """Keeps the HTTP session of one thread to one destination.

    Opening one takes longer than sending a message. A session is reused within a second or not at all: its server
    may be closing it just then, and it would be unknown whether the message arrived.
    """

    def __init__(self) -> None:
        self._session: requests.Session | None = None
        self._released_at = 0.0

    def acquire(self) -> requests.Session:
        """Returns a session for one attempt; one that is not released is not reused."""
        session, self._session = self._session, None
        if session is not None and time.monotonic() - self._released_at <= _KEPT_SECONDS:
            return session
        if session is not None:
            session.close()
        return _session()

    def release(self, session: requests.Session) -> None:
        """Keeps the session for the next attempt, without cookies."""
        session.cookies.clear()
        self._session, self._released_at = session, time.monotonic()


class _Requests:
    """Replaces `requests` for plugins: no redirects, verified certificates, bounded times and sizes."""

    def __getattr__(self, name: str) -> Any:
        return getattr(requests, name)

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Sends a request as `requests.request` does, and records its status and `Retry-After`."""
        attempt = current()
        attempt.begin()
        options |= {"allow_redirects": False, "verify": True, "timeout": (CONNECT_SECONDS, READ_SECONDS)}
        if attempt.allow_internal:
            # Otherwise a proxy would resolve names where nobody checks the addresses.
            options |= _environment(*urlsplit(url)[:2])
        if attempt.key and method.upper() != "GET":
            options["headers"] = {"Idempotency-Key": attempt.key, **(options.get("headers") or {})}
        kept = attempt.session
        with nullcontext(kept) if kept else _session() as session:
            answer = session.request(method, url, **options | {"stream": True})
            if attempt.ended:
                # A response that was cut off looks complete.
                raise requests.Timeout("the time for this attempt is over")
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
    """Reads as much of the body as arrived; the status is known already."""
    try:
        answer._content = answer.raw.read(_ANSWER_BYTES, decode_content=True)
    except HTTPError:
        answer._content = b""
    answer._content_consumed = True


def _wait_seconds(said: str | None) -> float | None:
    """Parses `Retry-After` (RFC 9110), seconds or a date; None for anything else."""
    if said is None:
        return None
    if re.fullmatch(r"\d{1,9}", said.strip()):
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)


_REQUESTS = _Requests()
_equip(apprise_attachment)
smtp.guard_mail_plugin()
