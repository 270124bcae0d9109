"""Builds what notifies people, and what they do with destinations, silences and failed messages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from adapters.apprise.notifier import AppriseNotifier
from adapters.apprise.rendering import Templates
from adapters.postgres.notifications.destinations import Destinations
from adapters.postgres.notifications.silences import Silences
from domain.ports.store import Notifier, Store
from workers.bootstrap.foundation import Foundation
from workers.services.deliveries import Resend
from workers.services.destinations import DestinationService
from workers.settings import Settings

# Where people are notified until the settings or a command say it.
DEFAULT_DESTINATIONS: Final = {"ops": "log://"}


@dataclass(frozen=True, slots=True)
class Notifications:
    """What sends messages, and what people do with destinations, silences and messages that failed."""

    notifier: Notifier
    destinations: DestinationService
    silences: Silences
    resend: Resend


def build(
    base: Foundation, store: Store, template_failed: Callable[[str], None], notifier: Notifier | None = None
) -> Notifications:
    """Builds the part, with a `notifier` in the place of its own if one is given.

    `template_failed` hears the name of a template that gave way to the built-in one. Raises `SetupError` for a
    destination of the settings that cannot be used.
    """
    configured = {name: url.get_secret_value() for name, url in base.settings.destinations.items()}
    stored = Destinations(base.engine)
    notifier = notifier or _notifier(base.settings, configured, stored, template_failed)
    return Notifications(
        notifier=notifier,
        destinations=DestinationService(
            stored,
            notifier,
            configured=configured,
            default=DEFAULT_DESTINATIONS,
            named=base.policy.destinations,
        ),
        silences=Silences(base.engine),
        resend=Resend(store),
    )


def templates(settings: Settings, template_failed: Callable[[str], None] = lambda _: None) -> Templates:
    """Builds the templates of messages: the operator's, and the built-in ones."""
    return Templates(settings.templates, settings.public_url or "", template_failed)


def _notifier(
    settings: Settings,
    configured: dict[str, str],
    destinations: Destinations,
    template_failed: Callable[[str], None],
) -> Notifier:
    return AppriseNotifier(
        configured,
        allow_internal=settings.allow_internal_destinations,
        templates=templates(settings, template_failed),
        stored=lambda: ({} if configured else DEFAULT_DESTINATIONS) | destinations.urls(),
    )
