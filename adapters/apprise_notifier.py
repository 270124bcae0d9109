"""Tells people through Apprise: chat, mail, webhooks. One URL a call, its own retries off, every wait bounded."""

import time
from collections.abc import Callable, Mapping
from copy import copy
from threading import Lock, local
from typing import TYPE_CHECKING, Any, cast

import structlog

from adapters.destination_url import SCHEMAS, redacted, schema, secrets
from adapters.notice_letters import compose
from adapters.notice_texts import Texts
from domain.errors import SetupError, TransientError
from domain.ports import Message, Outcome

if TYPE_CHECKING:
    from apprise import NotifyBase

SEND_SECONDS = 20.0
# How soon a destination that was added or removed is known to whoever runs already.
REFRESH_SECONDS = 5.0

log = structlog.get_logger("announce")

_PLAIN = Texts()
Sender = Callable[[Message], Outcome]


class AppriseNotifier:
    """Implements `domain.ports.Notifier`. Each destination's object is made once and kept."""

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
        url = self._known().get(destination)
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

    def _known(self) -> Mapping[str, str]:
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at >= self._refresh_seconds:
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
    return _write_to_log if schema(url) == "log" else _through_apprise(name, url, texts, allow_internal)


def demand_usable(name: str, url: str) -> None:
    """Raises `SetupError`, without secrets, if the destination at this URL cannot be used."""
    sender(name, url, _PLAIN, allow_internal=False)


def _write_to_log(message: Message) -> Outcome:
    log.info(message.title, detail=message.body.replace("\n", " | "))
    return Outcome(True, "delivered")


def _through_apprise(name: str, url: str, texts: Texts, allow_internal: bool) -> Sender:
    # Apprise takes a third of a second to import, which whoever looks at a claim need not wait for.
    from apprise import Apprise, NotifyFormat

    from adapters.apprise_transport import Attempt, attempting

    plugin = _plugin(name, url)
    services = local()
    hidden = secrets(url)
    wants_html = plugin.resolve_format(NotifyFormat.HTML) == NotifyFormat.HTML

    def service(extras: dict[str, Any]) -> Apprise:
        """This thread's own: a webhook of Apprise's takes the fields of a message from its object."""
        if not hasattr(services, "service"):
            services.plugin = copy(plugin)
            services.service = Apprise(services.plugin)
        if extras:
            vars(services.plugin)["payload_extras"] = vars(plugin)["payload_extras"] | extras
        return cast(Apprise, services.service)

    def send(message: Message) -> Outcome:
        lines: list[str] = []
        letter = compose(schema(url), message, texts, wants_html=wants_html)
        with attempting(Attempt(message.key, allow_internal, letter.alternative)) as attempt:
            result = service(letter.extras).notify(
                body=letter.body,
                title=letter.title,
                body_format=letter.format,
                timeout=SEND_SECONDS,
                log_callback=lambda entry, _service: lines.append(str(entry.message)),
                log_level=30,
            )
        if result:
            return Outcome(True, "delivered")
        unknown = attempt.may_have_arrived
        attempt.cut()
        said = attempt.refusal or " ".join(lines[-1:])
        answer = f"{'unknown: no answer came.' if unknown else 'failure:'} {said}".strip()
        return Outcome(False, redacted(answer, hidden), unknown, attempt.wait_seconds)

    return send


def _plugin(name: str, url: str) -> "NotifyBase":
    """The object of Apprise's for a URL, deaf to what a URL may ask for: attempts are counted in steps, a redirect
    could lead anywhere, and a failure that is called optional would count as sent."""
    from apprise import Apprise, AppriseAsset

    from adapters.apprise_transport import equip

    plugin = Apprise.instantiate(url, asset=AppriseAsset(http_redirects=False, async_mode=False))
    if plugin is None or not equip(type(plugin)):
        raise SetupError(f"Apprise does not understand the {schema(url)}:// URL of {name}.")
    plugin.retry = 0
    plugin.redirects = False
    plugin.verify_certificate = True
    plugin.optional = False
    # It would sleep between messages; what is too fast for a destination it answers with 429.
    plugin.request_rate_per_sec = 0
    return plugin
