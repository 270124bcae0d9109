"""Tells people through Apprise: chat, mail, webhooks. One URL a call, its own retries off, every wait bounded."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import structlog

from domain.errors import SetupError
from domain.ports import Message, Outcome

if TYPE_CHECKING:
    from apprise import NotifyBase

SEND_SECONDS = 20.0
# What may carry a notification. `log` writes a line into Spotclaim's own log.
SCHEMAS = frozenset(
    """
    log mailto mailtos json jsons form forms xml xmls slack workflows discord tgram mmost mmosts rocket
    rockets matrix matrixs gchat ntfy ntfys gotify gotifys pagerduty opsgenie signl4 victorops
    """.split()  # noqa: SIM905
)
_SHORTEST_SECRET = 4

log = structlog.get_logger("announce")

Sender = Callable[[Message], Outcome]


class AppriseNotifier:
    """Implements `domain.ports.Notifier`. Each destination's object is made once and kept."""

    def __init__(self, destinations: Mapping[str, str], *, allow_internal: bool = False) -> None:
        """`destinations`: Apprise URLs by name. Raises `SetupError` for one that cannot be used.

        With `allow_internal` they may lie inside the network, and proxies that the environment names are used.
        """
        self._senders = {name: _sender(name, url, allow_internal) for name, url in destinations.items()}
        self.destinations: Mapping[str, str] = {name: urlsplit(url).scheme for name, url in destinations.items()}

    def send(self, destination: str, message: Message) -> Outcome:
        """One attempt. A destination that is not configured (any more) is a failed attempt, not an error."""
        sender = self._senders.get(destination)
        if sender is None:
            return Outcome(False, f"There is no destination named {destination}.")
        return sender(message)


def _sender(name: str, url: str, allow_internal: bool) -> Sender:
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMAS:
        raise SetupError(
            f"SPOTCLAIM_DESTINATIONS: {name} uses {scheme or 'no schema'}://, which is not one of "
            f"{', '.join(sorted(SCHEMAS))}."
        )
    return _write_to_log if scheme == "log" else _through_apprise(name, url, allow_internal)


def _write_to_log(message: Message) -> Outcome:
    log.info(message.title, detail=message.body.replace("\n", " | "))
    return Outcome(True, "delivered")


def _through_apprise(name: str, url: str, allow_internal: bool) -> Sender:
    # Apprise takes a third of a second to import, which whoever looks at a claim need not wait for.
    from apprise import Apprise, NotifyFormat

    from adapters.apprise_transport import Attempt, attempting

    service = Apprise(_plugin(name, url))
    secrets = _secrets(url)

    def send(message: Message) -> Outcome:
        lines: list[str] = []
        with attempting(Attempt(message.key, allow_internal)) as attempt:
            result = service.notify(
                body=message.body,
                title=message.title,
                body_format=NotifyFormat.TEXT,
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
        return Outcome(False, _redacted(answer, secrets), unknown, attempt.wait_seconds)

    return send


def _plugin(name: str, url: str) -> "NotifyBase":
    """The object of Apprise's for a URL, deaf to what a URL may ask for: attempts are counted in steps, a redirect
    could lead anywhere, and a failure that is called optional would count as sent."""
    from apprise import Apprise, AppriseAsset

    from adapters.apprise_transport import equip

    plugin = Apprise.instantiate(url, asset=AppriseAsset(http_redirects=False, async_mode=False))
    if plugin is None or not equip(type(plugin)):
        raise SetupError(
            f"SPOTCLAIM_DESTINATIONS: Apprise does not understand the {urlsplit(url).scheme}:// URL of {name}."
        )
    plugin.retry = 0
    plugin.redirects = False
    plugin.verify_certificate = True
    plugin.optional = False
    # It would sleep between messages; what is too fast for a destination it answers with 429.
    plugin.request_rate_per_sec = 0
    return plugin


def _secrets(url: str) -> list[str]:
    """Everything in a URL that may be a secret: user, password, path and query. The host may be read."""
    parts = urlsplit(url)
    pieces: Iterable[str] = re.split(r"[/&=?]", f"{parts.path}/{parts.query}")
    found = {unquote(piece) for piece in (parts.username or "", parts.password or "", *pieces)}
    return sorted((piece for piece in found if len(piece) >= _SHORTEST_SECRET), key=len, reverse=True)


def _redacted(answer: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        answer = answer.replace(secret, "***")
    return answer[:300]
