"""One destination that is notified through Apprise."""

from copy import copy
from threading import local
from typing import Any

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat

from adapters.apprise.attempt import Attempt, attempting
from adapters.apprise.deadline import AttemptLimit
from adapters.apprise.http import SessionPool, guard_plugin
from adapters.apprise.message import RenderedMessage, render
from adapters.apprise.rendering import Templates
from adapters.apprise.urls import redacted, schema, secrets
from domain.errors import SetupError
from domain.ports.store import AttemptResult, Message

SEND_SECONDS = 20.0
_LIMIT = AttemptLimit(SEND_SECONDS)


class AppriseService:
    """Notifies one destination in the calling thread; threads share no connections.

    Raises `SetupError`, without secrets, for a URL that Apprise does not understand.
    """

    def __init__(self, name: str, url: str, templates: Templates, *, allow_internal: bool) -> None:
        self._plugin = _plugin(name, url)
        self._schema = schema(url)
        self._secrets = secrets(url)
        self._templates = templates
        self._allow_internal = allow_internal
        self._wants_html = self._plugin.resolve_format(NotifyFormat.HTML) == NotifyFormat.HTML
        self._mine = local()

    def __call__(self, message: Message) -> AttemptResult:
        """Makes one delivery attempt of at most `SEND_SECONDS`, name resolution excluded."""
        rendered = render(self._schema, message, self._templates, wants_html=self._wants_html)
        pool = self._session_pool()
        session = pool.acquire()
        attempt = Attempt(message.key, self._allow_internal, rendered.alternative, session)
        said: list[str] = []
        with attempting(attempt), _LIMIT.on(attempt):
            delivered = self._notify(rendered, said)
        if delivered:
            pool.release(session)
            return AttemptResult(True, "delivered")
        unknown = attempt.may_have_arrived
        why = attempt.refusal or " ".join(said[-1:])
        answer = f"{'unknown: no answer came.' if unknown else 'failure:'} {why}".strip()
        return AttemptResult(False, redacted(answer, self._secrets), unknown, attempt.wait_seconds)

    def _session_pool(self) -> SessionPool:
        if not hasattr(self._mine, "pool"):
            self._mine.pool = SessionPool()
            # Apprise's webhook plugin takes extra fields from its own attributes.
            self._mine.plugin = copy(self._plugin)
            self._mine.service = Apprise(self._mine.plugin)
        pool: SessionPool = self._mine.pool
        return pool

    def _notify(self, rendered: RenderedMessage, said: list[str]) -> bool:
        if rendered.extras:
            fields: dict[str, Any] = vars(self._plugin)["payload_extras"] | rendered.extras
            vars(self._mine.plugin)["payload_extras"] = fields
        result = self._mine.service.notify(
            body=rendered.body,
            title=rendered.title,
            body_format=rendered.format,
            log_callback=lambda entry, _service: said.append(str(entry.message)),
            log_level=30,
        )
        return bool(result)


def _plugin(name: str, url: str) -> NotifyBase:
    """Creates Apprise's plugin for a URL and overrides what the URL may ask for.

    Retries are counted in steps, a redirect could lead anywhere, and a failure called optional would count as
    sent. The time limit is ours (see `AttemptLimit`).
    """
    asset = AppriseAsset(http_redirects=False, async_mode=False, service_timeout=0)
    plugin = Apprise.instantiate(url, asset=asset)
    if plugin is None or not guard_plugin(type(plugin)):
        raise SetupError(f"Apprise does not understand the {schema(url)}:// URL of {name}.")
    plugin.retry = 0
    plugin.redirects = False
    plugin.verify_certificate = True
    plugin.optional = False
    # It would sleep between messages; what is too fast for a destination it answers with 429.
    plugin.request_rate_per_sec = 0
    return plugin
