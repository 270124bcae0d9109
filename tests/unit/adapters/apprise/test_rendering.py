"""Texts by templates: the operator's where they work, else the built-in ones; never none."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapters.apprise.message import render
from adapters.apprise.rendering import CHAT, MAIL_HTML, MAIL_TEXT, NAMES, SAMPLE, TITLE, Templates
from domain.ports.store import Message

URL = "https://claims.example.org"
BARE = Message("key", "Audit checkpoint", "7 events")
BROKEN = {
    "unfinished": "{% for item in items %}",
    "a fact that is none": "{{ colour }}",
    "an attribute that is none": "{{ items[0].colour }}",
    "a way out": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a change of facts": "{{ items.clear() }}",
    "a division": "{{ 1 // 0 }}",
    "a call that cannot be": "{{ title() }}",
    "a file that is not there": "{% include 'secret.txt' %}",
    "nothing at all": "{# nothing #}",
    "itself": "{% include 'chat.txt' %}",
}

# Each of them would last for hours or take all memory there is.
ENDLESS = {
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "loops over letters": "{% for a in body %}{% for b in body %}{% for c in body %}{% endfor %}{% endfor %}"
    "{% endfor %}",
    "a loop with a condition": "{% for a in range(99999) if a < 0 %}{% endfor %}x",
    "a loop that knows its length": "{% for a in range(99999) %}{{ loop.length }}{% endfor %}",
    "macros in macros": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}"
    "{{ m(99) }}x",
    "inclusions of inclusions": "{% set n = (n | default(60)) - 1 %}"
    "{% if n > 0 %}{% include 'chat.txt' %}{% include 'chat.txt' %}{% endif %}x",
    "a recursive loop": "{% for a in items recursive %}{{ loop(items) }}{{ loop(items) }}{% endfor %}",
    "a long text": "{% for a in range(9999) %}" + "x" * 99 + "{% endfor %}",
    "a text many times": "{{ 'x' * 10 ** 12 }}",
    "a list many times": "{{ [0] * 10 ** 12 }}",
    "a number to the power of a number": "{{ 10 ** 10 ** 10 }}",
    "a product of products": "{{ " + " * ".join(["10 ** 15"] * 999) + " }}",
    "a long template": "{% if code %}x{% endif %}" * 9999,
}


@pytest.mark.parametrize("name", NAMES)
def test_every_built_in_template_says_what_happened(name: str) -> None:
    """With nothing set but what is always there."""
    text = Templates().render(name, SAMPLE)

    assert ("METER_MISREAD" if name == TITLE else "DE*ABC*E2") in text


def test_claims_are_linked(tmp_path: Path) -> None:
    """Where people reach the console, if that is set; incidents to their own page."""
    [first, _] = Templates(None, f"{URL}/").facts(SAMPLE)["items"]
    [incident, _] = Templates(None, URL).facts(replace(SAMPLE, event="incident.opened"))["items"]

    assert first["link"] == f"{URL}/claims/{first['about']}"
    assert incident["link"] == f"{URL}/incidents/{incident['about']}"
    assert first["link"] in Templates(None, URL).render(CHAT, SAMPLE)
    assert f'href="{first["link"]}"' in Templates(None, URL).render(MAIL_HTML, SAMPLE)


def test_html_holds_nothing_of_others_that_is_html() -> None:
    """Spots and zones come from strangers."""
    summary = {**SAMPLE.summary, "items": [{**SAMPLE.summary["items"][0], "spot": "<script>", "zone": "<b>"}]}

    text = Templates().render(MAIL_HTML, replace(SAMPLE, title="<i>", summary=summary))

    assert [tag for tag in ("<script>", "<b>", "<i>") if tag in text] == []


def test_an_operators_template_comes_first(tmp_path: Path) -> None:
    """Those that the folder lacks are the built-in ones; a title is one line."""
    (tmp_path / TITLE).write_text("Störung\n{{ code }}\n({{ severity }})")

    templates = Templates(tmp_path)

    assert templates.render(TITLE, SAMPLE) == "Störung METER_MISREAD (high)"
    assert templates.render(CHAT, SAMPLE) == Templates().render(CHAT, SAMPLE)
    assert templates.problems() == []


@pytest.mark.parametrize("case", BROKEN | ENDLESS)
def test_a_broken_template_falls_back_and_is_reported(tmp_path: Path, case: str) -> None:
    """Nobody is left untold because of it, and it can do nothing but write text, and not too much of it."""
    (tmp_path / CHAT).write_text((BROKEN | ENDLESS)[case])
    failed: list[str] = []
    templates = Templates(tmp_path, on_failure=failed.append)

    with capture_logs() as lines:
        text = templates.render(CHAT, SAMPLE)

    assert text == Templates().render(CHAT, SAMPLE)
    assert [line["event"] for line in lines] == ["template failed"]
    assert failed == [CHAT]
    [problem] = templates.problems()
    assert problem.startswith("chat.txt: ")
    assert "\n" not in problem


def test_what_a_template_usually_does_is_no_excess(tmp_path: Path) -> None:
    """Loops, macros, parts of their own, and a line of dashes."""
    (tmp_path / "spot.j2").write_text("{{ item.spot | lower }}")
    (tmp_path / CHAT).write_text(
        "{% macro line(n) %}{{ '-' * n }}{% endmacro %}"
        "{% for item in items if item.reports > 0 %}{{ loop.index }}/{{ loop.length }} {% include 'spot.j2' %} "
        "{% endfor %}"
        "{% for n in range(3) %}{{ n ** 2 * 1.5 }} {% endfor %}{{ line(5) }}"
    )

    text = Templates(tmp_path).render(CHAT, SAMPLE)

    assert text == "1/2 de*abc*e1 2/2 de*abc*e2 0.0 1.5 6.0 -----"


def test_a_missing_folder_and_an_unknown_name_are_reported(tmp_path: Path) -> None:
    """Either would be a template that nobody misses until it matters."""
    (tmp_path / "chatt.txt").write_text("{{ title }}")

    assert "chatt.txt" in Templates(tmp_path).problems()[0]
    gone = Templates(tmp_path / "gone")
    assert "gone" in gone.problems()[0]
    assert gone.render(CHAT, SAMPLE) == Templates().render(CHAT, SAMPLE)


def test_a_message_without_facts_is_its_plain_text() -> None:
    """A checkpoint, or a delivery from before there were facts."""
    rendered = render("mailto", BARE, Templates())

    assert (rendered.title, rendered.body, rendered.format) == (BARE.title, BARE.body, "text")


def test_each_kind_gets_its_own() -> None:
    """Chat a text, mail HTML with the text beside it, a webhook the facts as JSON."""
    chat, mail, hook = (render(schema, SAMPLE, Templates()) for schema in ("slack", "mailtos", "jsons"))

    assert (chat.format, chat.alternative, chat.extras) == ("text", None, {})
    assert (mail.format, mail.alternative) == ("html", Templates().render(MAIL_TEXT, SAMPLE))
    facts = json.loads(json.dumps(hook.extras["spotclaim"]))
    assert (facts["event"], facts["severity"], facts["zones"]) == ("claim.under_review", "high", ["north"])
    assert [item["reports"] for item in facts["items"]] == [1, 2]


def test_a_mail_that_is_to_be_text_is_text() -> None:
    """A URL of the operator's says so."""
    rendered = render("mailto", SAMPLE, Templates(), wants_html=False)

    assert (rendered.format, rendered.alternative) == ("text", None)
