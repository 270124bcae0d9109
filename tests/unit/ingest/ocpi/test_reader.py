"""What a partner delivers is recognised, attributed to its party, and accounted for object by object."""

import json
from typing import Any

import pytest

from domain.errors import SetupError
from ingest.ocpi.reader import Hints
from tests.unit.ingest.ocpi.objects import (
    Imported,
    a_cdr,
    a_location,
    a_patch,
    a_session,
    at,
    imported,
    in_lines,
    reserve_now,
)

TARIFF = {"id": "T", "elements": [{"price_components": []}], "currency": "EUR", "last_updated": at(0)}
TOKEN = {"uid": "1", "type": "RFID", "valid": True, "whitelist": "ALWAYS", "last_updated": at(0)}


def page(*objects: Any) -> dict[str, Any]:
    return {"status_code": 1000, "timestamp": at(0), "data": list(objects)}


def test_objects_in_one_file_are_distinguished_by_their_fields() -> None:
    """Whatever the modules, and each object is counted once."""
    done = imported(
        a_location(), a_session(), a_cdr(), reserve_now(), {"result": "FAILED"}, TARIFF, TOKEN, {"x": 1}
    )

    assert (len(done.spots), len(done.usage), len(done.faults)) == (1, 2, 1)
    assert (done.reasons, done.ignored) == (["UNKNOWN_OBJECT"], {"command": 1, "tariff": 1, "token": 1})
    tally = done.tally
    assert (tally.read, tally.accepted, tally.refused, tally.ignored) == (8, 4, 1, 3)


@pytest.mark.parametrize(
    "text",
    [
        in_lines(a_session(), a_location()),
        json.dumps([a_session(), a_location()], indent=2).encode(),
        json.dumps(page(a_session(), a_location())).encode(),
        in_lines(page(a_session()), page(a_location())),
        in_lines({"url": "/sessions", "body": page(a_session())}, {"url": "/locations", "body": [a_location()]}),
    ],
)
def test_the_form_does_not_matter(text: bytes) -> None:
    """Lines, lists, envelopes, records of requests: the same messages come of them."""
    done, plain = Imported(text), imported(a_session(), a_location())
    assert {each.key for each in (*done.usage, *done.spots)} == {each.key for each in (*plain.usage, *plain.spots)}
    assert done.tally.accepted == done.tally.read == 2


def test_files_that_are_handed_over_together_are_read_together() -> None:
    """A patch may lie in another file than its session."""
    done = Imported(in_lines(a_patch(70, kwh=12.0)), in_lines(a_session()))
    assert done.latest.energy_kwh == 12.0


def test_a_second_reading_gives_the_same_messages() -> None:
    """Their keys are what makes importing a file twice change nothing."""
    objects = (
        a_location(),
        a_session(),
        a_patch(70, kwh=12.0),
        a_cdr(),
        reserve_now(evse_uid="E2"),
        {"result": "FAILED"},
    )
    first, second = imported(*objects), imported(*reversed(objects))
    for kind in ("spots", "usage", "faults"):
        keys = [{each.key for each in getattr(done, kind)} for done in (first, second)]
        assert keys[0] == keys[1] != set()


@pytest.mark.parametrize(
    ("changes", "hints", "spot"),
    [
        ({}, {"party": "BE*BEC", "url": "/sessions/NL/STK/s-1"}, "FR*ABC*E1"),
        ({"party_id": None}, {"party": "BE*BEC", "url": "/sessions/NL/STK/s-1"}, "NL*STK*E1"),
        ({"party_id": None}, {"party": "be-bec"}, "BE*BEC*E1"),
        ({"party_id": None}, {}, "E1"),
        ({"country_code": "fr", "party_id": "abc"}, {}, "FR*ABC*E1"),
    ],
)
def test_whose_an_object_is(changes: dict[str, Any], hints: dict[str, str], spot: str) -> None:
    """By its own word, else by where it was sent, else by the option."""
    assert imported(a_session(**changes), **hints).usage[0].spot_id == spot


def test_the_kind_can_be_said() -> None:
    """For an object whose fields do not tell it."""
    bare = {"id": "L9", "last_updated": at(0), "country_code": "FR", "party_id": "ABC"}
    assert imported(bare).reasons == ["UNKNOWN_OBJECT"]
    assert imported(bare, kind="location").ignored == {"location without an EVSE": 1}


def test_an_url_tells_the_kind_where_the_fields_do_not() -> None:
    done = imported(a_session(), a_patch(90, status="INVALID"))
    assert done.latest.stop_reason == "INVALID"


def test_an_answer_without_data_is_ignored() -> None:
    """What a partner's API said when it failed."""
    done = imported({"status_code": 2001, "status_message": "No", "timestamp": at(0)}, page())
    assert done.ignored == {"page without data": 1}


@pytest.mark.parametrize("hints", [{"kind": "car"}, {"party": "BECBEC1"}])
def test_a_wrong_option_is_said_at_once(hints: dict[str, str]) -> None:
    with pytest.raises(SetupError, match="is no "):
        Hints(**hints)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b'{"kwh": 1, "kwh": 2}', "DUPLICATE_KEY"),
        (b'{"kwh": NaN}', "NOT_JSON"),
        (b'{"kwh": ' + b"9" * 5000 + b"}", "NUMBER_TOO_LARGE"),
        (b'{"id": "\\ud800"}', "LONE_SURROGATE"),
        (b'{"id": "\\u0000"}', "NUL_CHARACTER"),
        (b'{"id": "\xff"}', "NOT_UTF8"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "TOO_DEEP"),
        (b'{"a": "' + b"x" * 17_000_000 + b'"}', "TOO_LARGE"),
        (b"start;end;kWh", "NOT_JSON"),
    ],
)
def test_a_broken_object_stops_no_neighbour(broken: bytes, reason: str) -> None:
    """It is refused with its reason, in whatever place."""
    for text in (
        in_lines(a_session()) + b"\n" + broken + b"\n",
        b"[" + broken + b"," + in_lines(a_session()) + b"]",
    ):
        done = Imported(text)
        assert (done.reasons, len(done.usage)) == ([reason], 1)
