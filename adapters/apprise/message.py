"""What is put into the envelope for one kind of destination: chat, mail or webhook."""

from dataclasses import dataclass, field
from typing import Any

from adapters.apprise.rendering import CHAT, MAIL_HTML, MAIL_TEXT, TITLE, Texts
from domain.ports.store import Message

_MAIL = frozenset({"mailto", "mailtos"})
_WEBHOOKS = frozenset({"json", "jsons"})


@dataclass(frozen=True, slots=True)
class Letter:
    """`format` is that of the body, `text` or `html`; beside one of HTML, `alternative` says it in plain text.
    `extras` are further fields of a webhook's body."""

    title: str
    body: str
    format: str = "text"
    alternative: str | None = None
    extras: dict[str, Any] = field(default_factory=dict)


def compose(schema: str, message: Message, texts: Texts, *, wants_html: bool = True) -> Letter:
    """The message for a destination of this schema. A webhook gets the facts as they are, under `spotclaim`."""
    title = texts.text(TITLE, message)
    if schema in _WEBHOOKS:
        return Letter(title, message.body, extras={"spotclaim": texts.facts(message)})
    if schema not in _MAIL:
        return Letter(title, texts.text(CHAT, message))
    plain = texts.text(MAIL_TEXT, message)
    if not wants_html or not message.summary.get("items"):
        return Letter(title, plain)
    return Letter(title, texts.text(MAIL_HTML, message), "html", plain)
