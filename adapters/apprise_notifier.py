"""Tells people through Apprise: chat, mail, webhooks. One URL a call, its own retries off, every wait bounded."""

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import unquote, urlsplit

import structlog

from domain.errors import SetupError
from domain.ports import Outcome

SEND_SECONDS = 20.0
# What may carry a notification. `log` writes a line into Spotclaim's own log.
SCHEMAS = frozenset(
    """
    log mailto mailtos json jsons form forms xml xmls slack msteams workflows discord tgram mmost mmosts rocket
    rockets matrix matrixs gchat googlechat ntfy ntfys gotify gotifys pagerduty opsgenie signl4 victorops
    """.split()  # noqa: SIM905
)
_SHORTEST_SECRET = 4

log = structlog.get_logger("announce")

# Takes title and body.
Sender = Callable[[str, str], Outcome]


class AppriseNotifier:
    """Implements `domain.ports.Notifier`. Each destination's object is made once and kept."""

    def __init__(self, destinations: Mapping[str, str]) -> None:
        """`destinations`: Apprise URLs by name. Raises `SetupError` for one that cannot be used."""
        self._senders = {name: _sender(name, url) for name, url in destinations.items()}
        self.destinations: Mapping[str, str] = {name: urlsplit(url).scheme for name, url in destinations.items()}

    def send(self, destination: str, title: str, body: str) -> Outcome:
        """One attempt. A destination that is not configured (any more) is a failed attempt, not an error."""
        sender = self._senders.get(destination)
        if sender is None:
            return Outcome(False, f"There is no destination named {destination}.")
        return sender(title, body)


def _sender(name: str, url: str) -> Sender:
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMAS:
        raise SetupError(
            f"SPOTCLAIM_DESTINATIONS: {name} uses {scheme or 'no schema'}://, which is not one of "
            f"{', '.join(sorted(SCHEMAS))}."
        )
    return _write_to_log if scheme == "log" else _through_apprise(name, url)


def _write_to_log(title: str, body: str) -> Outcome:
    log.info(title, detail=body.replace("\n", " | "))
    return Outcome(True, "delivered")


def _through_apprise(name: str, url: str) -> Sender:
    # It takes a third of a second to import, which whoever looks at a claim need not wait for.
    from apprise import Apprise, AppriseAsset, NotifyFormat

    service = Apprise(asset=AppriseAsset(http_redirects=False, async_mode=False))
    if not service.add(url):
        raise SetupError(
            f"SPOTCLAIM_DESTINATIONS: Apprise does not understand the {urlsplit(url).scheme}:// URL of {name}."
        )
    for part in service:
        # A URL may ask for these by itself: attempts are counted in steps, and a redirect could lead anywhere.
        part.retry = 0
        part.redirects = False
        part.verify_certificate = True
    secrets = _secrets(url)

    def send(title: str, body: str) -> Outcome:
        lines: list[str] = []
        result = service.notify(
            body=body,
            title=title,
            body_format=NotifyFormat.TEXT,
            timeout=SEND_SECONDS,
            log_callback=lambda entry, _service: lines.append(str(entry.message)),
            log_level=30,
        )
        answer = "delivered" if result else " ".join([result.status.name.lower(), *lines[-1:]])
        return Outcome(bool(result), _redacted(answer, secrets))

    return send


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
