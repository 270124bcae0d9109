"""Notifies people through Apprise: chat, mail, webhooks.

One URL per call, Apprise's own retries off, every wait bounded.
"""

import time
from collections.abc import Callable, Mapping
from threading import Lock

import structlog

from adapters.apprise.rendering import Templates
from adapters.apprise.urls import SCHEMAS, schema
from domain.errors import SetupError, TransientError
from domain.ports.store import AttemptResult, Message

# How soon running processes learn of a destination that was added or removed.
REFRESH_SECONDS = 5.0

log = structlog.get_logger("announce")

_PLAIN = Templates()
Sender = Callable[[Message], AttemptResult]


class AppriseNotifier:
    """Implements `domain.ports.store.Notifier`; each destination's object is created once and cached."""

    def __init__(
        self,
        configured: Mapping[str, str],
        *,
        allow_internal: bool = False,
        stored: Callable[[], Mapping[str, str]] = dict,
        templates: Templates = _PLAIN,
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        """Takes Apprise URLs by name, configured and `stored`; a configured name wins.

        `stored` is called again after `refresh_seconds`. With `allow_internal`, destinations may have internal
        addresses, and the proxies of the environment are used. Raises `SetupError` for a configured URL that
        cannot be used.
        """
        self._allow_internal = allow_internal
        self._templates = templates
        self._read_stored = stored
        self._refresh_seconds = refresh_seconds
        self._lock = Lock()
        self._read_at: float | None = None
        self._urls = self._configured = dict(configured)
        self._senders: dict[tuple[str, str], Sender] = {}
        for name, url in configured.items():
            try:
                self._sender(name, url)
            except SetupError as error:
                raise SetupError(f"SPOTCLAIM_DESTINATIONS: {error}") from None

    @property
    def destinations(self) -> Mapping[str, str]:
        """Returns the schema of each present destination by name."""
        return {name: schema(url) for name, url in self._known().items()}

    def send(self, destination: str, message: Message) -> AttemptResult:
        """Makes one delivery attempt; an unknown destination is a failed attempt, not an error."""
        # A destination that was just added is not in the cache yet.
        url = self._known().get(destination) or self._known(afresh=True).get(destination)
        if url is None:
            return AttemptResult(False, f"There is no destination named {destination}.")
        try:
            return self._sender(destination, url)(message)
        except SetupError as error:
            return AttemptResult(False, str(error))

    def problems(self) -> list[str]:
        """Lists destinations and templates that cannot be used, one line each, without secrets."""
        found = self._templates.problems()
        for name, url in self._known().items():
            try:
                self._sender(name, url)
            except SetupError as error:
                found.append(str(error))
        return found

    def _sender(self, name: str, url: str) -> Sender:
        known = self._senders.get((name, url))
        if known is None:
            known = self._senders[name, url] = sender(
                name, url, self._templates, allow_internal=self._allow_internal
            )
        return known

    def _known(self, *, afresh: bool = False) -> Mapping[str, str]:
        with self._lock:
            if afresh or self._read_at is None or time.monotonic() - self._read_at >= self._refresh_seconds:
                self._read_at = time.monotonic()
                self._refresh()
            return self._urls

    def _refresh(self) -> None:
        try:
            self._urls = {**self._read_stored(), **self._configured}
        except TransientError as error:
            # The cached destinations stay in use.
            log.warning("destinations not read", error=str(error))
        self._senders = {key: kept for key, kept in self._senders.items() if key in self._urls.items()}


def sender(name: str, url: str, templates: Templates, *, allow_internal: bool) -> Sender:
    """Returns the function that notifies a URL. Raises `SetupError`, without secrets, if it cannot be used."""
    if schema(url) not in SCHEMAS:
        raise SetupError(
            f"{name} uses {schema(url) or 'no schema'}://, which is not one of {', '.join(sorted(SCHEMAS))}."
        )
    if schema(url) == "log":
        return _write_to_log
    # Apprise takes a third of a second to import, which whoever looks at a claim need not wait for.
    from adapters.apprise.destination import AppriseService

    return AppriseService(name, url, templates, allow_internal=allow_internal)


def demand_usable(name: str, url: str) -> None:
    """Checks that a destination's URL can be used. Raises `SetupError`, without secrets."""
    sender(name, url, _PLAIN, allow_internal=False)


def _write_to_log(message: Message) -> AttemptResult:
    log.info(message.title, detail=message.body.replace("\n", " | "))
    return AttemptResult(True, "delivered")
