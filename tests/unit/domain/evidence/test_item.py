"""Evidence: what an item may say, what a set of items is called, and what a claim lacks."""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import EvidenceRefused
from domain.evidence.file import File
from domain.evidence.item import compose, demanded, digest, missing
from domain.policy.policy import EVIDENCE_KINDS, Policy
from tests.builders import NOW, PIECES, a_claim, a_policy, an_item

PNG = File("meter.png", "image/png", 70, "ab" * 32)
PDF = File("report.pdf", "application/pdf", 70, "cd" * 32)


def test_the_content_is_canonical() -> None:
    """One item has one spelling, so that its hash can be reckoned by anybody."""
    content = compose("session", data={"session_id": "s", "a": "ü"}, note="read on site", file=PNG)

    assert content == (
        '{"data":{"a":"ü","session_id":"s"},"file":{"media_type":"image/png","name":"meter.png",'
        f'"sha256":"{PNG.sha256}","size":70}},"note":"read on site"}}'
    )


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("note", {"note": "seen"}),
        ("photo", {"file": PNG}),
        ("document", {"file": PDF}),
        ("document", {"file": PNG, "note": "scanned"}),
        ("photo", {"data": PIECES["photo"]}),
        ("meter_reading", {"data": PIECES["meter_reading"], "file": PNG}),
        ("reservation_response", {"data": PIECES["reservation_response"], "note": "by radio"}),
        ("session", {"data": PIECES["session"], "file": PDF}),
    ],
)
def test_what_each_kind_may_be(kind: str, parts: dict[str, Any]) -> None:
    """Its parts come back as they were given."""
    item = an_item(a_claim(), kind=kind, content=compose(kind, **parts))

    assert item.file == parts.get("file")
    assert item.parts.get("note", "") == parts.get("note", "")
    assert item.parts.get("data") == parts.get("data")


@pytest.mark.parametrize(
    ("kind", "parts", "code"),
    [
        ("rumour", {"note": "x"}, "UNKNOWN_KIND"),
        ("photo", {"note": "x"}, "FILE_MISSING"),
        ("document", {"data": {"a": 1}}, "MISSING_FIELD"),
        ("meter_reading", {"data": {"x": "lol"}}, "MISSING_FIELD"),
        ("meter_reading", {"data": PIECES["meter_reading"] | {"register": -1}}, "INVALID_FIELD"),
        ("meter_reading", {"file": PNG, "note": "18234.5 kWh"}, "MISSING_FIELD"),
        ("photo", {"file": PDF}, "NOT_A_PHOTO"),
        ("note", {}, "NOTE_MISSING"),
        ("note", {"note": " \n", "data": {"a": 1}}, "NOTE_MISSING"),
        ("session", {}, "MISSING_FIELD"),
        ("session", {"note": " ", "data": {}}, "MISSING_FIELD"),
        ("note", {"note": "x" * 4001}, "NOTE_TOO_LONG"),
        ("note", {"note": "a\0b"}, "TEXT_NOT_STORABLE"),
        ("note", {"note": "\ud800"}, "TEXT_NOT_STORABLE"),
        ("session", {"data": {"session_id": "x" * 16 * 1024}}, "DATA_TOO_LARGE"),
        (
            "signed_meter_value",
            {"data": {"format": "OCMF", "text": "x", "more": "x" * 64 * 1024}},
            "DATA_TOO_LARGE",
        ),
    ],
)
def test_what_is_no_evidence(kind: str, parts: dict[str, Any], code: str) -> None:
    """It is refused with a code and a sentence."""
    with pytest.raises(EvidenceRefused) as refused:
        compose(kind, **parts)

    assert (refused.value.code, str(refused.value)[-1]) == (code, ".")


def test_every_kind_of_the_policy_can_be_filed() -> None:
    """Nothing is demanded that nobody can give."""
    for kind in EVIDENCE_KINDS:
        assert compose(kind, note="x", data=PIECES[kind], file=PNG)


def test_the_digest_names_the_set() -> None:
    """It tells apart what is on file, whatever the order, and what was withdrawn counts no more."""
    claim = a_claim()
    one, two = an_item(claim), an_item(claim)
    withdrawn = replace(two, withdrawn_at=NOW, withdrawn_by="technician")

    assert digest([]) == ""
    assert digest([one, two]) == digest([two, one])
    assert digest([one, withdrawn]) == digest([one])
    assert digest([withdrawn]) == ""
    sets = ([one], [two], [one, two], [replace(one, kind="session"), two], [replace(one, content="{}"), two])
    assert len({digest(items) for items in sets}) == len(sets)


@pytest.fixture
def demanding() -> Policy:
    policy = a_policy()
    misread = replace(policy.codes["METER_MISREAD"], evidence=("photo", "meter_reading"))
    return replace(policy, codes={**policy.codes, "METER_MISREAD": misread})


def test_what_is_demanded_and_missing(demanding: Policy) -> None:
    """By error code, in the policy's order."""
    assert demanded(demanding, "METER_MISREAD") == ("photo", "meter_reading")
    assert demanded(demanding, "OTHER") == ()
    assert missing(demanding, "METER_MISREAD", frozenset()) == ["photo", "meter_reading"]
    assert missing(demanding, "METER_MISREAD", {"photo", "note"}) == ["meter_reading"]
    assert missing(demanding, "METER_MISREAD", {"photo", "meter_reading"}) == []
    assert missing(demanding, "OTHER", frozenset()) == []
