"""A mistake of ours while everything is settled, at the end of the reading, stops no neighbour."""

import json
from typing import Any

from domain.errors import MalformedMessage
from ingest.files.items import Refused, Translated
from ingest.ocpi.objects import Address, Outcome, Told
from ingest.ocpi.reservations import Commands
from ingest.ocpi.sessions import Sessions
from tests.unit.ingest.ocpi.told import a_cdr, a_session, an_active_session, reserve_now


def told(body: dict[str, Any], raw: bytes | None = None) -> Told:
    return Told(body, json.dumps(body).encode() if raw is None else raw, Address(), "FR*ABC")


def refusals(outcomes: list[Outcome]) -> list[tuple[bytes, str, str]]:
    return [(each.raw, each.reason.code, each.reason.sentence) for each in outcomes if isinstance(each, Refused)]


def not_readable(raw: bytes, bug: str) -> tuple[bytes, str, str]:
    return raw, "NOT_READABLE", f"Reading the object failed: {bug}."


def test_every_word_on_a_session_that_cannot_be_told_is_refused() -> None:
    """Each is accounted for; the session beside it is told."""
    sessions = Sessions()
    for word in (
        told(an_active_session(), b"what cannot be read again"),
        told(a_session(), b"nor this"),
        told(a_session(id="s-2")),
        told(a_cdr(session_id=None), b"nor a CDR"),
        told(a_cdr(session_id=None, id="s-2")),
    ):
        assert list((sessions.cdr if "total_energy" in word.body else sessions.session)(word)) == []

    outcomes = list(sessions.finish())

    assert sorted(refusals(outcomes)) == sorted(
        not_readable(raw, "JSONDecodeError") for raw in (b"what cannot be read again", b"nor this", b"nor a CDR")
    )
    assert len([each for each in outcomes if isinstance(each, Translated)]) == 2


def test_answers_whose_commands_cannot_be_told_apart_are_refused() -> None:
    """Also where the mistake is in what all of them share."""
    broken: Any = None
    for command, count in ((told(reserve_now()), 0), (Told(reserve_now(response_url=None), b"", broken), 2)):
        commands = Commands()
        answers = [told({"result": "FAILED", "reservation_id": "77"}), told({"result": "ACCEPTED"})]
        assert list(commands.command(command)) == ["command"]
        assert [list(commands.answer(answer)) for answer in answers] == [[], []]

        outcomes = list(commands.finish())

        assert len(outcomes) == 2
        expected = [not_readable(answer.raw, "AttributeError") for answer in answers][:count]
        assert refusals(outcomes) == expected


def test_what_is_wrong_with_an_object_is_said_and_not_how_it_failed() -> None:
    """A refusal is no mistake of ours."""
    commands = Commands()
    list(commands.answer(told({"result": ""})))
    [refused] = commands.finish()
    assert isinstance(refused, Refused)
    assert isinstance(refused.reason, MalformedMessage)
    assert refused.reason.code == "MISSING_FIELD"
