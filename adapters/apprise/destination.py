"""One destination that is told through Apprise."""

from copy import copy
from threading import local
from typing import Any

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat

from adapters.apprise.attempt import Attempt, attempting
from adapters.apprise.deadline import Limit
from adapters.apprise.http import Lines, equip
from adapters.apprise.message import Letter, compose
from adapters.apprise.rendering import Texts
from adapters.apprise.urls import redacted, schema, secrets
from domain.errors import SetupError
from domain.ports.store import Message, Outcome

SEND_SECONDS = 20.0
_LIMIT = Limit(SEND_SECONDS)


class AppriseService:
    """Tells one destination, in the thread that asks for it; threads do not share what they tell it by.

    Raises `SetupError`, without secrets, for a URL that Apprise does not understand.
    """

    def __init__(self, name: str, url: str, texts: Texts, *, allow_internal: bool) -> None:
        self._plugin = _plugin(name, url)
        self._schema = schema(url)
        self._secrets = secrets(url)
        self._texts = texts
        self._allow_internal = allow_internal
        self._wants_html = self._plugin.resolve_format(NotifyFormat.HTML) == NotifyFormat.HTML
        self._mine = local()

    def __call__(self, message: Message) -> Outcome:
        """One attempt, which takes `SEND_SECONDS` at most, but for what the system takes to look up a name."""
        letter = compose(self._schema, message, self._texts, wants_html=self._wants_html)
        lines = self._lines()
        session = lines.take()
        attempt = Attempt(message.key, self._allow_internal, letter.alternative, session)
        said: list[str] = []
        with attempting(attempt), _LIMIT.on(attempt):
            delivered = self._notify(letter, said)
        if delivered:
            lines.leave(session)
            return Outcome(True, "delivered")
        unknown = attempt.may_have_arrived
        why = attempt.refusal or " ".join(said[-1:])
        answer = f"{'unknown: no answer came.' if unknown else 'failure:'} {why}".strip()
        return Outcome(False, redacted(answer, self._secrets), unknown, attempt.wait_seconds)

    def _lines(self) -> Lines:
        if not hasattr(self._mine, "lines"):
            self._mine.lines = Lines()
            # A webhook of Apprise's takes the fields of a message from its object.
            self._mine.plugin = copy(self._plugin)
            self._mine.service = Apprise(self._mine.plugin)
        lines: Lines = self._mine.lines
        return lines

    def _notify(self, letter: Letter, said: list[str]) -> bool:
        if letter.extras:
            fields: dict[str, Any] = vars(self._plugin)["payload_extras"] | letter.extras
            vars(self._mine.plugin)["payload_extras"] = fields
        result = self._mine.service.notify(
            body=letter.body,
            title=letter.title,
            body_format=letter.format,
            log_callback=lambda entry, _service: said.append(str(entry.message)),
            log_level=30,
        )
        return bool(result)


def _plugin(name: str, url: str) -> NotifyBase:
    """The object of Apprise's for a URL, deaf to what a URL may ask for: attempts are counted in steps, a redirect
    could lead anywhere, and a failure that is called optional would count as sent. How long it may take is ours to
    say (see `Limit`)."""
    asset = AppriseAsset(http_redirects=False, async_mode=False, service_timeout=0)
    plugin = Apprise.instantiate(url, asset=asset)
    if plugin is None or not equip(type(plugin)):
        raise SetupError(f"Apprise does not understand the {schema(url)}:// URL of {name}.")
    plugin.retry = 0
    plugin.redirects = False
    plugin.verify_certificate = True
    plugin.optional = False
    # It would sleep between messages; what is too fast for a destination it answers with 429.
    plugin.request_rate_per_sec = 0
    return plugin
