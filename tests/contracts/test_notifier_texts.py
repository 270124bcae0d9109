"""The port `Notifier`: what arrives is written for who reads it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.apprise_notifier import AppriseNotifier
from adapters.notice_texts import CHAT, MAIL_TEXT, SAMPLE, Texts
from tests.contracts.receivers import MailBox, WebHook, mail_box, text, web_hook
from tests.servers.loopback import HOST

TEXTS = Texts(None, "https://claims.example.org")


@pytest.fixture
def hook() -> Iterator[WebHook]:
    with web_hook() as running:
        yield running


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_box() as running:
        yield running


def notifier(url: str, texts: Texts = TEXTS) -> AppriseNotifier:
    return AppriseNotifier({"ops": url}, allow_internal=True, texts=texts)


def test_a_web_hook_gets_the_facts(hook: WebHook) -> None:
    """As fields, beside the text for people; the operator's own fields stay."""
    notifier(f"json://{hook.address}/?:team=night").send("ops", SAMPLE)

    [(_, posted)] = hook.posted
    assert posted["spotclaim"] == TEXTS.facts(SAMPLE)
    assert (posted["title"], posted["message"], posted["team"]) == (SAMPLE.title, SAMPLE.body, "night")


def test_messages_that_leave_together_keep_their_own_facts(hook: WebHook) -> None:
    """They share an object of Apprise's."""
    shared = notifier(f"json://{hook.address}/")
    keys = [f"key-{n}" for n in range(20)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: shared.send("ops", replace(SAMPLE, key=key)), keys))

    told = [(posted["spotclaim"]["delivery"], headers["Idempotency-Key"]) for posted, headers in received(hook)]
    assert sorted(told) == sorted((key, key) for key in keys)


def received(hook: WebHook) -> list[tuple[dict[str, object], object]]:
    return [(posted, headers) for (_, posted), headers in zip(hook.posted, hook.headers, strict=True)]


def test_a_mail_has_both_parts(box: MailBox) -> None:
    """HTML with links, and the text of its own template."""
    notifier(f"mailto://{HOST}:{box.port}/?from=a@example.org&to=b@example.org").send("ops", SAMPLE)

    [mail] = box.mails
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.get_payload()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text(plain).splitlines() == TEXTS.text(MAIL_TEXT, SAMPLE).splitlines()
    assert 'href="https://claims.example.org/claims/' in text(html)


def test_a_mail_that_its_url_wants_as_text_is_text(box: MailBox) -> None:
    """One part."""
    url = f"mailto://{HOST}:{box.port}/?from=a@example.org&to=b@example.org&format=text"
    notifier(url).send("ops", SAMPLE)

    [mail] = box.mails
    assert mail.get_content_type() == "text/plain"
    assert text(mail).splitlines() == TEXTS.text(MAIL_TEXT, SAMPLE).splitlines()


def test_a_chat_gets_the_operators_words(hook: WebHook, tmp_path: Path) -> None:
    """Whatever language they are in."""
    (tmp_path / CHAT).write_text("{{ spots }} Ladepunkte gestört")

    notifier(f"ntfy://{hook.address}/topic", Texts(tmp_path)).send("ops", SAMPLE)

    assert "2 Ladepunkte gestört" in hook.posted[0][1]["message"]
