"""Tells people through Apprise: chat, mail, webhooks. One URL a call, its own retries off, every wait bounded."""

import time
from collections.abc import Callable, Mapping
from threading import Lock

import structlog

from adapters.apprise.rendering import Texts
from adapters.apprise.urls import SCHEMAS, schema
from domain.errors import SetupError, TransientError
from domain.ports.store import Message, Outcome

# How soon a destination that was added or removed is known to whoever runs already.
REFRESH_SECONDS = 5.0

log = structlog.get_logger("announce")

_PLAIN = Texts()
Sender = Callable[[Message], Outcome]


class AppriseNotifier:
    """Implements `domain.ports.store.Notifier`. Each destination's object is made once and kept."""

    def __init__(
        self,
        configured: Mapping[str, str],
        *,
        allow_internal: bool = False,
        stored: Callable[[], Mapping[str, str]] = dict,
        texts: Texts = _PLAIN,
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        """`configured` are Apprise URLs by name, and so is what `stored` returns, which is asked again every so
        often; a name that both have is the configured one's.

        With `allow_internal` destinations may lie inside the network, and proxies that the environment names are
        used. Raises `SetupError` for a configured one that cannot be used.
        """
        self._allow_internal = allow_internal
        self._texts = texts
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
        """Names and schemas of all destinations that there are at present."""
        return {name: schema(url) for name, url in self._known().items()}

    def send(self, destination: str, message: Message) -> Outcome:
        """One attempt. A destination that is not there (any more) is a failed attempt, not an error."""
        # One that was added this very moment is told at once.
        url = self._known().get(destination) or self._known(afresh=True).get(destination)
        if url is None:
            return Outcome(False, f"There is no destination named {destination}.")
        try:
            return self._sender(destination, url)(message)
        except SetupError as error:
            return Outcome(False, str(error))

    def problems(self) -> list[str]:
        """Which destinations and templates cannot be used, and why; one line each, without secrets."""
        found = self._texts.problems()
        for name, url in self._known().items():
            try:
                self._sender(name, url)
            except SetupError as error:
                found.append(str(error))
        return found

    def _sender(self, name: str, url: str) -> Sender:
        known = self._senders.get((name, url))
        if known is None:
            known = self._senders[name, url] = sender(name, url, self._texts, allow_internal=self._allow_internal)
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
            # What was known still is.
            log.warning("destinations not read", error=str(error))
        self._senders = {key: kept for key, kept in self._senders.items() if key in self._urls.items()}


def sender(name: str, url: str, texts: Texts, *, allow_internal: bool) -> Sender:
    """What tells the destination at this URL. Raises `SetupError`, without secrets, if it cannot be used."""
    if schema(url) not in SCHEMAS:
        raise SetupError(
            f"{name} uses {schema(url) or 'no schema'}://, which is not one of {', '.join(sorted(SCHEMAS))}."
        )
    if schema(url) == "log":
        return _write_to_log
    # Apprise takes a third of a second to import, which whoever looks at a claim need not wait for.
    from adapters.apprise.destination import AppriseService

    return AppriseService(name, url, texts, allow_internal=allow_internal)


def demand_usable(name: str, url: str) -> None:
    """Raises `SetupError`, without secrets, if the destination at this URL cannot be used."""
    sender(name, url, _PLAIN, allow_internal=False)


def _write_to_log(message: Message) -> Outcome:
    log.info(message.title, detail=message.body.replace("\n", " | "))
    return Outcome(True, "delivered")
