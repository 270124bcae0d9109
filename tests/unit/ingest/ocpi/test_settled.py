"""A mistake of ours while everything is settled, at the end of the reading, stops no neighbour."""

import json
from typing import Any

from domain.errors import MalformedMessage
from ingest.files.items import RefusedItem, Translated
from ingest.ocpi.objects import Address, OcpiObject, Reading
from ingest.ocpi.reservations import Commands
from ingest.ocpi.sessions import Sessions
from tests.unit.ingest.ocpi.objects import a_cdr, a_session, an_active_session, reserve_now


def an_object(body: dict[str, Any], raw: bytes | None = None) -> OcpiObject:
    return OcpiObject(body, json.dumps(body).encode() if raw is None else raw, Address(), "FR*ABC")


def refusals(outcomes: list[Reading]) -> list[tuple[bytes, str, str]]:
    return [
        (each.raw, each.reason.code, each.reason.sentence) for each in outcomes if isinstance(each, RefusedItem)
    ]


def not_readable(raw: bytes, bug: str) -> tuple[bytes, str, str]:
    return raw, "NOT_READABLE", f"Reading the object failed: {bug}."


def test_every_update_of_a_session_that_cannot_be_replayed_is_refused() -> None:
    """Each is accounted for; the session beside it is recorded."""
    sessions = Sessions()
    for word in (
        an_object(an_active_session(), b"what cannot be read again"),
        an_object(a_session(), b"nor this"),
        an_object(a_session(id="s-2")),
        an_object(a_cdr(session_id=None), b"nor a CDR"),
        an_object(a_cdr(session_id=None, id="s-2")),
    ):
        assert list((sessions.cdr if "total_energy" in word.body else sessions.session)(word)) == []

    outcomes = list(sessions.finish())

    assert sorted(refusals(outcomes)) == sorted(
        not_readable(raw, "JSONDecodeError") for raw in (b"what cannot be read again", b"nor this", b"nor a CDR")
    )
    assert len([each for each in outcomes if isinstance(each, Translated)]) == 2


def test_answers_of_indistinguishable_commands_are_refused() -> None:
    """Also where the mistake is in what all of them share."""
    broken: Any = None
    for command, count in (
        (an_object(reserve_now()), 0),
        (OcpiObject(reserve_now(response_url=None), b"", broken), 2),
    ):
        commands = Commands()
        answers = [an_object({"result": "FAILED", "reservation_id": "77"}), an_object({"result": "ACCEPTED"})]
        assert list(commands.command(command)) == ["command"]
        assert [list(commands.answer(answer)) for answer in answers] == [[], []]

        outcomes = list(commands.finish())

        assert len(outcomes) == 2
        expected = [not_readable(answer.raw, "AttributeError") for answer in answers][:count]
        assert refusals(outcomes) == expected


def test_what_is_wrong_with_an_object_is_said_and_not_how_it_failed() -> None:
    """A refusal is no mistake of ours."""
    commands = Commands()
    list(commands.answer(an_object({"result": ""})))
    [refused] = commands.finish()
    assert isinstance(refused, RefusedItem)
    assert isinstance(refused.reason, MalformedMessage)
    assert refused.reason.code == "MISSING_FIELD"
