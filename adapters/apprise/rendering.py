"""Renders notifications from templates, the built-in ones or the operator's own.

Facts, all of them set: `delivery` (id), `event`, `reason`, `title` and `body` (the plain text), `code`, `severity`
(the highest), `spots` (how many), `spot` (the only one or none), `zones`, `words` (what happened, and how often),
`left` (how many claims are not among the items), and `items`, each with `about` (id), `spot`, `zone`, `severity`,
`claim_type`, `reports`, `resolve_by`, `line` (the plain text) and `link` (empty without a public URL).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from domain.ports.store import Message

if TYPE_CHECKING:
    from jinja2 import Environment

    from adapters.apprise.sandbox import BoundedEnvironment

# One line for titles, one text for chats, and both parts of a mail.
TITLE, CHAT, MAIL_TEXT, MAIL_HTML = "title.txt", "chat.txt", "mail.txt", "mail.html"
NAMES: Final = (TITLE, CHAT, MAIL_TEXT, MAIL_HTML)

SAMPLE: Final = Message(
    key="00000000-0000-7000-8000-000000000000",
    title="METER_MISREAD on 2 spots in north: under review for the reviewer",
    body="DE*ABC*E1 in north (high): reported 3 times, claim 1\nDE*ABC*E2 in north (high): reported once, claim 2",
    event="claim.under_review",
    reason="first",
    summary={
        "code": "METER_MISREAD",
        "spots": 2,
        "spot": None,
        "zones": ["north"],
        "words": {"under review for the reviewer": 2},
        "lines": [f"DE*ABC*E{n} in north (high): reported {n} times, claim {n}" for n in (1, 2)],
        "lines_left": 1,
        "items": [
            {
                "about": f"00000000-0000-7000-8000-00000000000{n}",
                "spot": f"DE*ABC*E{n}",
                "zone": "north",
                "severity": "high",
                "claim_type": "usage_discrepancy",
                "reports": n,
                "resolve_by": "2026-03-04T12:00:00Z" if n == 1 else None,
            }
            for n in (1, 2)
        ],
    },
)
_GRAVITY = ("low", "medium", "high", "critical")

log = structlog.get_logger("announce")


@dataclass(frozen=True)
class Templates:
    """Renders messages by the operator's templates, or else by the built-in ones.

    A template of the operator's that fails or exceeds its limits falls back to the built-in one, and `on_failure`
    is called with its name.
    """

    folder: Path | None = None
    public_url: str = ""
    on_failure: Callable[[str], None] = lambda _: None

    def render(self, name: str, message: Message) -> str:
        """Renders the named template; without facts, returns the message's plain text."""
        plain = message.title if name == TITLE else message.body
        facts = self.facts(message)
        if not facts["items"]:
            return plain
        if self._custom is not None and self.folder is not None and (self.folder / name).is_file():
            try:
                return _finished(name, self._custom.render(name, facts))
            except Exception as error:
                # Whatever an operator's template does, people are notified.
                log.warning("template failed", template=name, error=_said(error))
                self.on_failure(name)
        try:
            return _finished(name, self._built_in.get_template(name).render(facts))
        except Exception as error:
            # The facts may be of another version than the template.
            log.warning("template failed", template=name, error=_said(error))
            return plain

    def facts(self, message: Message) -> dict[str, Any]:
        """Returns the facts that templates and webhooks are given, ready for JSON."""
        summary = message.summary
        items = [
            {**item, "line": line, "link": self._link(message.event, item["about"])}
            for item, line in zip(summary.get("items", ()), summary.get("lines", ()), strict=False)
        ]
        return {
            "delivery": message.key,
            "event": message.event,
            "reason": message.reason,
            "title": message.title,
            "body": message.body,
            "code": summary.get("code", ""),
            "severity": _gravest(items),
            "spots": summary.get("spots", 0),
            "spot": summary.get("spot"),
            "zones": list(summary.get("zones", ())),
            "words": dict(summary.get("words", {})),
            "items": items,
            "left": summary.get("lines_left", 0),
        }

    def problems(self) -> list[str]:
        """Lists what is wrong with the operator's templates, each rendered with sample facts."""
        if self.folder is None:
            return []
        if not self.folder.is_dir():
            return [f"SPOTCLAIM_TEMPLATES: there is no folder {self.folder}; the built-in templates are used."]
        found = []
        for file in sorted(self.folder.iterdir()):
            if file.name in NAMES:
                found += self._failure(file.name)
            elif file.suffix in (".txt", ".html"):
                found.append(f"{file.name} is no template's name; there are {', '.join(NAMES)}.")
        return found

    def _failure(self, name: str) -> list[str]:
        assert self._custom is not None
        try:
            _finished(name, self._custom.render(name, self.facts(SAMPLE)))
        except Exception as error:
            return [f"{name}: {_said(error)}; the built-in template is used."]
        return []

    def _link(self, event: str, about: str) -> str:
        if not self.public_url:
            return ""
        kind = "incidents" if event.startswith("incident.") else "claims"
        return f"{self.public_url.rstrip('/')}/{kind}/{about}"

    @cached_property
    def _custom(self) -> "BoundedEnvironment | None":
        from jinja2 import FileSystemLoader

        from adapters.apprise.sandbox import BoundedEnvironment

        return None if self.folder is None else BoundedEnvironment(**_options(FileSystemLoader(self.folder)))

    @cached_property
    def _built_in(self) -> "Environment":
        from jinja2 import PackageLoader
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        return ImmutableSandboxedEnvironment(**_options(PackageLoader("adapters.apprise", "templates")))


def _options(loader: Any) -> dict[str, Any]:
    from jinja2 import StrictUndefined, select_autoescape

    return {
        "loader": loader,
        "undefined": StrictUndefined,
        "autoescape": select_autoescape(["html"]),
        "trim_blocks": True,
        "lstrip_blocks": True,
    }


def _finished(name: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise ValueError("the text is empty")
    return " ".join(text.split()) if name == TITLE else text


def _said(error: Exception) -> str:
    line = getattr(error, "lineno", None)
    return f"{f'line {line}: ' if line else ''}{error or type(error).__name__}".replace("\n", " ")


def _gravest(items: list[dict[str, Any]]) -> str:
    present = {item["severity"] for item in items}
    return next((severity for severity in reversed(_GRAVITY) if severity in present), "")
