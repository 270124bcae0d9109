"""Tells people through Apprise: chat, mail, webhooks. One URL a call, its own retries off, every wait bounded."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from apprise import Apprise, AppriseAsset, NotifyFormat
from apprise.decorators import notify

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


@notify(on="log", name="Spotclaim log")  # type: ignore[no-untyped-call, untyped-decorator]
def _write_to_log(body: str, title: str, *_: Any, **__: Any) -> bool:
    log.info(title, detail=body.replace("\n", " | "))
    return True


class AppriseNotifier:
    """Implements `domain.ports.Notifier`. Each destination's object is made once and kept."""

    def __init__(self, destinations: Mapping[str, str]) -> None:
        """`destinations`: Apprise URLs by name. Raises `SetupError` for one that cannot be used."""
        asset = AppriseAsset(http_redirects=False, async_mode=False)
        self._senders = {name: _sender(name, url, asset) for name, url in destinations.items()}
        self._secrets = {name: _secrets(url) for name, url in destinations.items()}
        self.destinations: Mapping[str, str] = {name: urlsplit(url).scheme for name, url in destinations.items()}

    def send(self, destination: str, title: str, body: str) -> Outcome:
        """One attempt. A destination that is not configured (any more) is a failed attempt, not an error."""
        sender = self._senders.get(destination)
        if sender is None:
            return Outcome(False, f"There is no destination named {destination}.")
        lines: list[str] = []
        result = sender.notify(
            body=body,
            title=title,
            body_format=NotifyFormat.TEXT,
            timeout=SEND_SECONDS,
            log_callback=lambda entry, _service: lines.append(str(entry.message)),
            log_level=30,
        )
        answer = "delivered" if result else " ".join([result.status.name.lower(), *lines[-1:]])
        return Outcome(bool(result), _redacted(answer, self._secrets[destination]))


def _sender(name: str, url: str, asset: AppriseAsset) -> Apprise:
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMAS:
        raise SetupError(
            f"SPOTCLAIM_DESTINATIONS: {name} uses {scheme or 'no schema'}://, which is not one of "
            f"{', '.join(sorted(SCHEMAS))}."
        )
    sender = Apprise(asset=asset)
    if not sender.add(url):
        raise SetupError(f"SPOTCLAIM_DESTINATIONS: Apprise does not understand the {scheme}:// URL of {name}.")
    for service in sender:
        # A URL may ask for these by itself: attempts are counted in steps, and a redirect could lead anywhere.
        service.retry = 0
        service.redirects = False
        service.verify_certificate = True
    return sender


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
