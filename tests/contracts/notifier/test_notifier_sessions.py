"""The port `Notifier`: a line to a web hook is kept for the next message, and never at the price of one."""

import time
from collections.abc import Iterator

import pytest

from adapters.apprise import http
from adapters.apprise.notifier import AppriseNotifier
from domain.ports.store import AttemptResult, Message
from tests.contracts.receivers import WebHook, web_hook


@pytest.fixture
def hook() -> Iterator[WebHook]:
    with web_hook(keeping_lines=True) as running:
        yield running


@pytest.fixture
def notifier(hook: WebHook) -> AppriseNotifier:
    return AppriseNotifier({"ops": f"json://{hook.address}/"}, allow_internal=True)


def send(notifier: AppriseNotifier, key: str) -> AttemptResult:
    return notifier.send("ops", Message(key, "METER_MISREAD on 2 spots", "E1 (high): reported once"))


def test_messages_that_follow_each_other_share_a_line(hook: WebHook, notifier: AppriseNotifier) -> None:
    """Each under its own key."""
    outcomes = [send(notifier, key) for key in ("k1", "k2", "k3")]

    assert [outcome.sent for outcome in outcomes] == [True, True, True]
    assert [headers["Idempotency-Key"] for headers in hook.headers] == ["k1", "k2", "k3"]
    assert len(set(hook.senders)) == 1


def test_a_line_that_was_idle_for_long_is_not_used_again(
    hook: WebHook, notifier: AppriseNotifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its server may be hanging up."""
    send(notifier, "k1")
    later = time.monotonic() + 5
    monkeypatch.setattr(http.time, "monotonic", lambda: later)

    assert send(notifier, "k2").sent
    assert len(set(hook.senders)) == 2


def test_a_kept_line_that_is_hung_up_after_reading_leaves_it_unknown(
    hook: WebHook, notifier: AppriseNotifier
) -> None:
    """As a new one does; nor is the message sent again by itself."""
    send(notifier, "k1")
    hook.hanging_up = True

    outcome = send(notifier, "k2")

    assert (outcome.sent, outcome.unknown, len(hook.posted)) == (False, True, 2)
    assert len(set(hook.senders)) == 1


@pytest.mark.parametrize("status", [429, 500])
def test_a_line_is_not_used_again_after_a_refusal(hook: WebHook, notifier: AppriseNotifier, status: int) -> None:
    """Nobody knows in which state whoever refuses leaves it."""
    hook.status = status
    refused = send(notifier, "k1")
    hook.status = 200

    assert (refused.sent, refused.unknown) == (False, False)
    assert send(notifier, "k1").sent
    assert len(set(hook.senders)) == 2


def test_cookies_of_a_web_hook_are_not_sent_back(hook: WebHook, notifier: AppriseNotifier) -> None:
    """A message knows nothing of the one before."""
    hook.cookie = "seen=before"

    send(notifier, "k1")
    send(notifier, "k2")

    assert [headers["Cookie"] for headers in hook.headers] == [None, None]
    assert len(set(hook.senders)) == 1
