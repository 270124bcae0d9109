"""The port `Notifier` is bounded in time, however a destination hangs."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.apprise_notifier import AppriseNotifier
from adapters.apprise_service import SEND_SECONDS
from domain.ports import Message
from tests.contracts.receivers import WebHook, web_hook

SLACK_SECONDS = 5


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


def seconds_lost(hang: Callable[[WebHook], str]) -> float:
    with web_hook() as hook:
        notifier = AppriseNotifier({"ops": hang(hook)}, allow_internal=True)
        began = time.monotonic()
        assert notifier.send("ops", Message("key", "title", "body")).unknown
        return time.monotonic() - began


@pytest.mark.timeout(90)
def test_a_hanging_destination_costs_bounded_time() -> None:
    """Each manner of hanging, all at once to spare the reader's time."""
    manners = [silent, dripping, patient]

    with ThreadPoolExecutor(len(manners)) as pool:
        lost = dict(zip([manner.__name__ for manner in manners], pool.map(seconds_lost, manners), strict=True))

    assert {manner: seconds for manner, seconds in lost.items() if seconds > SEND_SECONDS + SLACK_SECONDS} == {}
