"""The port `Notifier`: what comes of an attempt, whatever the destination does."""

import pytest
from structlog.testing import capture_logs

from adapters.apprise.notifier import AppriseNotifier
from domain.ports.store import Message
from tests.contracts.notifier.notifiers import by_mail, by_url
from tests.contracts.receivers import MailBox, WebHook, subject, text, web_hook
from tests.servers.loopback import HOST, free_port

KEY = "7d1f9a52-6c0e-4d0e-8d1e-000000000001"
TITLE, BODY = "METER_MISREAD on 2 spots – north", "E1 (high): reported once\nE2 (high): reported 3 times"
MESSAGE = Message(KEY, TITLE, BODY)
SECRET = "T0P-secret-token"


def by_web_hook(hook: WebHook, options: str = "") -> AppriseNotifier:
    return by_url(f"json://user:{SECRET}@{hook.address}/{SECRET}-path{options}")


def test_a_web_hook_gets_the_message(hook: WebHook) -> None:
    """Title and body word for word, once."""
    outcome = by_web_hook(hook).send("ops", MESSAGE)

    assert (outcome.sent, outcome.answer) == (True, "delivered")
    [(path, posted)] = hook.posted
    assert (path, posted["title"], posted["message"]) == (f"/{SECRET}-path", TITLE, BODY)


def test_a_mail_box_gets_the_message(box: MailBox) -> None:
    """As a mail of plain text to whom it concerns."""
    outcome = by_mail(box).send("ops", MESSAGE)

    assert (outcome.sent, outcome.answer) == (True, "delivered")
    [mail] = box.mails
    assert (subject(mail), mail["To"], mail.get_content_type()) == (TITLE, "ops@example.org", "text/plain")
    assert text(mail).replace("\r\n", "\n") == BODY


def test_the_log_gets_the_message() -> None:
    """Before any destination is set, notifications are in the log."""
    with capture_logs() as lines:
        outcome = AppriseNotifier({"ops": "log://"}).send("ops", MESSAGE)

    assert outcome.sent
    [line] = lines
    assert (line["event"], "E2 (high): reported 3 times" in line["detail"]) == (TITLE, True)


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_a_web_hook_that_refuses_is_a_failed_attempt(hook: WebHook, status: int) -> None:
    """Told in one line, tried once: when to try again is not the adapter's business."""
    hook.status = status

    outcome = by_web_hook(hook).send("ops", MESSAGE)

    assert (outcome.sent, len(hook.posted)) == (False, 1)
    assert str(status) in outcome.answer
    assert "\n" not in outcome.answer


def test_a_url_cannot_ask_for_more_attempts(hook: WebHook) -> None:
    """Apprise lets a URL say how often; here the steps do."""
    hook.status = 500

    by_web_hook(hook, "?retry=1").send("ops", MESSAGE)

    assert len(hook.posted) == 1


def test_a_mail_box_that_refuses_is_a_failed_attempt(box: MailBox) -> None:
    """Likewise."""
    box.refusal = "552 mailbox is full"

    outcome = by_mail(box).send("ops", MESSAGE)

    assert (outcome.sent, box.mails) == (False, [])
    assert outcome.answer.startswith("failure")


@pytest.mark.parametrize("schema", ["json", "mailto"])
def test_nobody_there_is_a_failed_attempt(schema: str) -> None:
    """A destination that is down is reported like one that refuses."""
    url = f"{schema}://{HOST}:{free_port()}/?from=a@example.org&to=b@example.org"

    outcome = AppriseNotifier({"ops": url}, allow_internal=True).send("ops", MESSAGE)

    assert (outcome.sent, outcome.answer.startswith("failure")) == (False, True)


def test_a_name_that_is_not_configured_any_more_is_a_failed_attempt() -> None:
    """Deliveries outlive settings."""
    outcome = AppriseNotifier({"ops": "log://"}).send("night-shift", MESSAGE)

    assert (outcome.sent, outcome.answer) == (False, "There is no destination named night-shift.")


@pytest.mark.parametrize("options", ["", "?redirect=yes"])
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed(hook: WebHook, status: int, options: str) -> None:
    """It could lead anywhere inside the network, whatever the URL asks for."""
    with web_hook() as elsewhere:
        hook.status, hook.location = status, f"http://{elsewhere.address}/inside"

        outcome = by_web_hook(hook, options).send("ops", MESSAGE)

        assert (outcome.sent, len(hook.posted), elsewhere.posted) == (False, 1, [])


@pytest.mark.parametrize("status", [302, 403, 500])
def test_an_answer_never_shows_a_secret(hook: WebHook, status: int) -> None:
    """Neither the password nor the path, which for many services is the password."""
    hook.status, hook.location = status, f"http://{hook.address}/{SECRET}"
    notifier = AppriseNotifier(
        {"ops": f"json://{SECRET}-user:{SECRET}@{hook.address}/{SECRET}-path?+X-Token={SECRET}-header"},
        allow_internal=True,
    )

    assert SECRET not in notifier.send("ops", MESSAGE).answer


def test_a_secret_is_hidden_even_in_other_peoples_words(hook: WebHook) -> None:
    """Whoever words the answer may repeat what we sent: here the password is a word of Apprise's own."""
    hook.status = 500
    notifier = AppriseNotifier({"ops": f"json://user:Internal@{hook.address}/"}, allow_internal=True)

    answer = notifier.send("ops", MESSAGE).answer

    assert ("Internal" in answer, "***" in answer) == (False, True)


def test_a_destination_recovers(hook: WebHook) -> None:
    """A failure leaves nothing behind."""
    notifier = by_web_hook(hook)
    hook.status = 500
    notifier.send("ops", MESSAGE)
    hook.status = 200

    assert notifier.send("ops", MESSAGE).sent
