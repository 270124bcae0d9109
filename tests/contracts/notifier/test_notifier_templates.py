"""The port `Notifier`: what arrives is written for who reads it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from adapters.apprise.rendering import CHAT, MAIL_TEXT, SAMPLE, Templates
from tests.contracts.notifier.notifiers import by_mail, by_url
from tests.contracts.receivers import MailBox, WebHook, text

TEMPLATES = Templates(None, "https://claims.example.org")


def test_a_web_hook_gets_the_facts(hook: WebHook) -> None:
    """As fields, beside the text for people; the operator's own fields stay."""
    by_url(f"json://{hook.address}/?:team=night", TEMPLATES).send("ops", SAMPLE)

    [(_, posted)] = hook.posted
    assert posted["spotclaim"] == TEMPLATES.facts(SAMPLE)
    assert (posted["title"], posted["message"], posted["team"]) == (SAMPLE.title, SAMPLE.body, "night")


def test_messages_that_leave_together_keep_their_own_facts(hook: WebHook) -> None:
    """They share an object of Apprise's."""
    shared = by_url(f"json://{hook.address}/", TEMPLATES)
    keys = [f"key-{n}" for n in range(20)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: shared.send("ops", replace(SAMPLE, key=key)), keys))

    sent = [(posted["spotclaim"]["delivery"], headers["Idempotency-Key"]) for posted, headers in received(hook)]
    assert sorted(sent) == sorted((key, key) for key in keys)


def received(hook: WebHook) -> list[tuple[dict[str, object], object]]:
    return [(posted, headers) for (_, posted), headers in zip(hook.posted, hook.headers, strict=True)]


def test_a_mail_has_both_parts(box: MailBox) -> None:
    """HTML with links, and the text of its own template."""
    by_mail(box, templates=TEMPLATES).send("ops", SAMPLE)

    [mail] = box.mails
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.get_payload()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text(plain).splitlines() == TEMPLATES.render(MAIL_TEXT, SAMPLE).splitlines()
    assert 'href="https://claims.example.org/claims/' in text(html)


def test_a_mail_that_its_url_wants_as_text_is_text(box: MailBox) -> None:
    """One part."""
    by_mail(box, "&format=text", TEMPLATES).send("ops", SAMPLE)

    [mail] = box.mails
    assert mail.get_content_type() == "text/plain"
    assert text(mail).splitlines() == TEMPLATES.render(MAIL_TEXT, SAMPLE).splitlines()


def test_a_chat_gets_the_operators_words(hook: WebHook, tmp_path: Path) -> None:
    """Whatever language they are in."""
    (tmp_path / CHAT).write_text("{{ spots }} Ladepunkte gestört")

    by_url(f"ntfy://{hook.address}/topic", Templates(tmp_path)).send("ops", SAMPLE)

    assert "2 Ladepunkte gestört" in hook.posted[0][1]["message"]
