"""The port `Notifier`: what may have arrived differs from what was refused; repetitions are recognisable."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from domain.ports.store import Message
from tests.contracts.notifier.notifiers import by_mail, by_url
from tests.contracts.receivers import MailBox, WebHook

KEY = "7d1f9a52-6c0e-4d0e-8d1e-000000000001"
MESSAGE = Message(KEY, "METER_MISREAD on 2 spots", "E1 (high): reported once")


def test_a_web_hook_that_hangs_up_after_reading_may_have_taken_it(hook: WebHook) -> None:
    """Nobody knows, and that is what is said."""
    hook.hanging_up = True

    outcome = by_url(f"json://{hook.address}/").send("ops", MESSAGE)

    assert (outcome.sent, outcome.unknown, len(hook.posted)) == (False, True, 1)
    assert outcome.answer.startswith("unknown")


@pytest.mark.parametrize("status", [200, 204])
def test_a_web_hook_that_accepts_it_is_notified(hook: WebHook, status: int) -> None:
    """The first answer decides."""
    hook.status = status

    assert by_url(f"json://{hook.address}/").send("ops", MESSAGE).sent


@pytest.mark.parametrize(("status", "unknown"), [(429, False), (500, False), (503, False), (504, True)])
def test_a_web_hook_that_answers_is_taken_at_its_word(hook: WebHook, status: int, unknown: bool) -> None:
    """A gateway that waited in vain for what lies behind it does not know either."""
    hook.status = status

    outcome = by_url(f"json://{hook.address}/").send("ops", MESSAGE)

    assert (outcome.sent, outcome.unknown) == (False, unknown)


def test_a_web_hook_that_answers_late_is_waited_for(hook: WebHook) -> None:
    """As long as there is time; nothing is posted twice meanwhile."""
    hook.late_seconds = 2

    assert by_url(f"json://{hook.address}/").send("ops", MESSAGE).sent
    assert len(hook.posted) == 1


def test_a_failure_that_a_url_calls_optional_is_one(hook: WebHook) -> None:
    """Apprise would count it as sent."""
    hook.status = 500

    assert not by_url(f"json://{hook.address}/?optional=yes").send("ops", MESSAGE).sent


@pytest.mark.parametrize(("place", "unknown"), [("MAIL", False), ("DATA", True)])
def test_a_mail_server_that_hangs_up(box: MailBox, place: str, unknown: bool) -> None:
    """Before it has the mail, it has not; afterwards it may."""
    box.hanging_up_at = place

    outcome = by_mail(box).send("ops", MESSAGE)

    assert (outcome.sent, outcome.unknown) == (False, unknown)


@pytest.mark.parametrize("refusal", ["552 mailbox is full", "451 try again later"])
def test_a_mail_that_is_refused_was_not_taken(box: MailBox, refusal: str) -> None:
    """The server had it all, and said no, or not now."""
    box.refusal = refusal

    outcome = by_mail(box).send("ops", MESSAGE)

    assert (outcome.sent, outcome.unknown) == (False, False)


def test_a_destination_says_when_to_try_again(hook: WebHook) -> None:
    """In seconds, or by a date; anything else says nothing."""
    hook.status = 429
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)
    waits = []
    for said in ("120", soon, past, "tomorrow", "-5", None):
        hook.retry_after = said
        waits.append(by_url(f"json://{hook.address}/").send("ops", MESSAGE).wait_seconds)

    assert waits[0] == 120
    assert 300 < (waits[1] or 0) <= 600
    assert waits[2:] == [0, None, None, None]


@pytest.mark.parametrize("schema", ["json", "form", "xml", "ntfy"])
def test_each_attempt_over_http_has_the_same_key(hook: WebHook, schema: str) -> None:
    """Whatever the schema: the receiver can drop what it has."""
    by_hook = by_url(f"{schema}://{hook.address}/topic")
    for status in (500, 200):
        hook.status = status
        by_hook.send("ops", MESSAGE)

    assert [headers["Idempotency-Key"] for headers in hook.headers] == [KEY, KEY]


def test_an_operators_own_key_stays(hook: WebHook) -> None:
    """A receiver may want another one."""
    by_url(f"json://{hook.address}/?+Idempotency-Key=mine").send("ops", MESSAGE)

    assert hook.headers[0].get_all("Idempotency-Key") == ["mine"]


def test_each_attempt_by_mail_has_the_same_message_id(box: MailBox) -> None:
    """One such header, of the sender's domain."""
    for _ in range(2):
        by_mail(box).send("ops", MESSAGE)

    assert [mail.get_all("Message-ID") for mail in box.mails] == [[f"<{KEY}@example.org>"]] * 2


def test_the_text_of_a_mail_is_left_alone(box: MailBox) -> None:
    """Even if it reads like a header."""
    body = "first\n\nMessage-ID: <mine@example.org>"

    by_mail(box, "&format=text").send("ops", Message(KEY, "title", body))

    assert "Message-ID: <mine@example.org>" in box.mails[0].as_string()
    assert box.mails[0]["Message-ID"] == f"<{KEY}@example.org>"
