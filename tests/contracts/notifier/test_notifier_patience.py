"""The port `Notifier` is bounded in time, however a destination hangs."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from adapters.apprise.destination import SEND_SECONDS
from adapters.apprise.notifier import AppriseNotifier
from domain.ports.store import Message
from tests.contracts.notifier.notifiers import by_mail, by_url
from tests.contracts.receivers import WebHook, mail_box, web_hook
from tests.servers.waiting import PATIENCE_SECONDS


def silent(hook: WebHook) -> str:
    """Takes the message and never answers."""
    hook.silent = True
    return f"json://{hook.address}/"


def dripping(hook: WebHook) -> str:
    """Answers a byte at a time, for ever."""
    hook.dripping = True
    return f"json://{hook.address}/"


def patient(hook: WebHook) -> str:
    """Never answers, and its URL asks to be waited for."""
    return silent(hook) + "?rto=300&cto=300"


def by_web_hook(hang: Callable[[WebHook], str]) -> tuple[float, bool]:
    with web_hook() as hook:
        return lost(by_url(hang(hook)))


def by_mail_server(place: str) -> tuple[float, bool]:
    """It says nothing any more when it has read the sender's name, or the mail."""
    with mail_box() as box:
        box.silent_at = place
        return lost(by_mail(box))


def lost(notifier: AppriseNotifier) -> tuple[float, bool]:
    """How many seconds, and whether nobody knows what came of it."""
    began = time.monotonic()
    outcome = notifier.send("ops", Message("key", "title", "body"))
    assert not outcome.sent
    return time.monotonic() - began, outcome.unknown


def test_a_hanging_destination_costs_bounded_time() -> None:
    """Each manner of hanging, all at once to spare the reader's time. What a mail server had not read when it fell
    silent was not sent."""
    manners: list[Callable[[], tuple[float, bool]]] = [
        *(partial(by_web_hook, hang) for hang in (silent, dripping, patient)),
        *(partial(by_mail_server, place) for place in ("DATA", "MAIL")),
    ]

    with ThreadPoolExecutor(len(manners)) as pool:
        seconds, unknown = zip(*pool.map(lambda manner: manner(), manners), strict=True)

    assert max(seconds) < SEND_SECONDS + PATIENCE_SECONDS
    assert unknown == (True, True, True, True, False)
