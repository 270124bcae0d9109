"""Renders a message for one kind of destination: chat, mail or webhook."""

from dataclasses import dataclass, field
from typing import Any

from adapters.apprise.rendering import CHAT, MAIL_HTML, MAIL_TEXT, TITLE, Templates
from domain.ports.store import Message

_MAIL = frozenset({"mailto", "mailtos"})
_WEBHOOKS = frozenset({"json", "jsons"})


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """A rendered message: title, body, and what a mail or a webhook needs besides.

    `format` is that of the body, `text` or `html`; `alternative` is the plain text beside an HTML body; `extras`
    are further fields of a webhook's body.
    """

    title: str
    body: str
    format: str = "text"
    alternative: str | None = None
    extras: dict[str, Any] = field(default_factory=dict)


def render(schema: str, message: Message, templates: Templates, *, wants_html: bool = True) -> RenderedMessage:
    """Renders the message for a destination of this schema. A webhook gets the plain facts under `spotclaim`."""
    title = templates.render(TITLE, message)
    if schema in _WEBHOOKS:
        return RenderedMessage(title, message.body, extras={"spotclaim": templates.facts(message)})
    if schema not in _MAIL:
        return RenderedMessage(title, templates.render(CHAT, message))
    plain = templates.render(MAIL_TEXT, message)
    if not wants_html or not message.summary.get("items"):
        return RenderedMessage(title, plain)
    return RenderedMessage(title, templates.render(MAIL_HTML, message), "html", plain)
