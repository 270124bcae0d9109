"""What programs post: each item is answered for itself, once it is durable."""

import uuid
from base64 import b64decode
from typing import Any

import orjson
import pytest

from domain.errors import MalformedMessage, TransientError
from domain.field.batch import Batch
from domain.ports.store import Identity
from ingest.api import messages
from ingest.cloudevents.strict_json import MAX_BYTES
from ingest.cloudevents.types import FAULT_RAISED, USAGE_RECORDED
from tests.builders import NOW, a_piece, an_event

FAULT = {"spot_id": "E1", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}}


class Inside:
    """Keeps what was delivered, or cannot."""

    def __init__(self, away: bool = False) -> None:
        self.batches: list[Batch] = []
        self._away = away

    def deliver_batch(self, batch: Batch) -> None:
        if self._away:
            raise TransientError("The database is away.")
        self.batches.append(batch)


def posted(body: Any, inside: Inside, default_type: str = FAULT_RAISED) -> tuple[int, dict[str, Any]]:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    identity = Identity("billing", "operator")
    return messages.ingest_items(content, default_type, identity, inside.deliver_batch, lambda: NOW)


def test_bare_data_becomes_an_event_of_whoever_posts() -> None:
    """The answer carries the id under which it is known."""
    inside = Inside()

    status, answer = posted(FAULT, inside)

    [batch] = inside.batches
    [fault] = batch.faults
    assert (status, answer["accepted"]) == (202, 1)
    assert answer["items"] == [{"index": 0, "status": "accepted", "id": fault.message_id}]
    assert uuid.UUID(fault.message_id).version == 4
    assert (fault.source, fault.filed_by, fault.received_at) == ("api:billing", "billing", NOW)


def test_bare_data_without_a_time_is_timed_by_its_reception() -> None:
    """Nobody stated a time, so none is called stated."""
    inside = Inside()

    posted(FAULT, inside)

    assert (inside.batches[0].faults[0].occurred_at, inside.batches[0].faults[0].time_quality) == (NOW, "received")


def test_a_whole_event_keeps_its_own_identity() -> None:
    """Whatever type the address stands for."""
    inside, event = Inside(), an_event(id="e-77")

    _, answer = posted(event, inside, USAGE_RECORDED)

    assert answer["items"][0]["id"] == "e-77"
    assert (inside.batches[0].faults[0].message_id, inside.batches[0].faults[0].source) == ("e-77", "controller:7")


def test_usage_goes_to_usage() -> None:
    """The address decides what bare data is."""
    inside = Inside()

    posted({"spot_id": "E1", "session_id": "s-1"}, inside, USAGE_RECORDED)

    assert len(inside.batches[0].usage) == 1


def test_each_item_of_a_list_is_answered_for_itself() -> None:
    """Good ones are ingested together; bad ones go to quarantine with their reason."""
    inside = Inside()

    status, answer = posted([FAULT, {"spot_id": "E1"}, 5, an_event(id="e-3")], inside)

    assert (status, answer["accepted"]) == (202, 2)
    assert [item["status"] for item in answer["items"]] == ["accepted", "refused", "refused", "accepted"]
    assert answer["items"][1]["problem"]["code"] == "MISSING_FIELD"
    assert "data.error" in answer["items"][1]["problem"]["detail"]
    [batch] = inside.batches
    assert (len(batch.faults), [item.reason for item in batch.quarantined]) == (
        2,
        ["MISSING_FIELD", "INVALID_FIELD"],
    )


def test_nothing_accepted_is_422() -> None:
    """The items say why, and their bytes are in quarantine all the same."""
    inside = Inside()

    status, answer = posted([{}, "x"], inside)

    assert (status, answer["accepted"], len(inside.batches[0].quarantined)) == (422, 0, 2)


@pytest.mark.parametrize(
    "bad",
    [
        b'{"spot_id": "A\\u0000"}',
        b'{"spot_id": "A\\ud800"}',
        b'{"spot_id": NaN}',
        b'{"spot_id": 1e400}',
        b'{"spot_id": 9223372036854775808}',
        b'{"spot_id": "A", "spot_id": "B"}',
        b'{"spot_id": "\xff"}',
        b'{"spot_id": ' + b"[" * 32 + b"]" * 32 + b"}",
        b"nonsense",
        b"",
    ],
)
def test_an_item_that_cannot_be_read_leaves_its_neighbours_alone(bad: bytes) -> None:
    """It goes to quarantine byte for byte, and the answer names it."""
    inside, good = Inside(), orjson.dumps(FAULT)

    status, answer = posted(b"[" + good + b"," + bad + b", " + good + b"]", inside)

    [batch] = inside.batches
    assert (status, [item["status"] for item in answer["items"]]) == (202, ["accepted", "refused", "accepted"])
    assert [b64decode(refused.body) for refused in batch.quarantined] == [bad]


@pytest.mark.parametrize("body", [b"nonsense", b"{", b'{"spot_id": NaN}', orjson.dumps({}), b""])
def test_one_item_that_is_refused_is_in_quarantine(body: bytes) -> None:
    """The whole answer is its problem, and its bytes are kept."""
    inside = Inside()

    with pytest.raises(MalformedMessage):
        posted(body, inside)

    assert [b64decode(refused.body) for refused in inside.batches[0].quarantined] == [body]


def test_one_item_may_be_as_deep_as_any_message() -> None:
    """Posted alone or in a list; one level more is too deep."""
    deep = b'{"spot_id": "E1", "error": ' + b"[" * 30 + b"]" * 30 + b"}"
    for body in (deep, b"[" + deep + b"]"):
        with pytest.raises(MalformedMessage, match="error"):
            raise_refusal(body)
    with pytest.raises(MalformedMessage, match="deeper"):
        raise_refusal(deep.replace(b"[]", b"[[[]]]"))


def raise_refusal(body: bytes) -> None:
    inside = Inside()
    _, answer = posted(body, inside)
    problem = answer["items"][0]["problem"]
    raise MalformedMessage(problem["code"], problem["detail"])


@pytest.mark.parametrize("body", [b"[]", orjson.dumps([{}] * 1001)])
def test_a_list_of_none_or_too_many_is_refused_whole(body: bytes) -> None:
    """Nothing is delivered."""
    inside = Inside()

    with pytest.raises(MalformedMessage) as refusal:
        posted(body, inside)

    assert (refusal.value.code, inside.batches) == ("WRONG_COUNT", [])


def test_a_thousand_items_are_taken() -> None:
    """The limit is met exactly, in one batch."""
    inside = Inside()

    _, answer = posted([FAULT] * 1000, inside)

    assert (answer["accepted"], len(inside.batches[0].faults)) == (1000, 1000)


def test_an_item_may_not_be_larger_than_a_message() -> None:
    """The limit of one message holds for each item of a list; its neighbours go in."""
    inside = Inside()

    _, answer = posted([FAULT | {"description": "x" * MAX_BYTES}, FAULT], inside)

    assert [item["status"] for item in answer["items"]] == ["refused", "accepted"]
    assert answer["items"][0]["problem"]["code"] == "TOO_LARGE"


def test_nothing_is_answered_before_it_is_durable() -> None:
    """When the inside is away the caller must send again."""
    with pytest.raises(TransientError):
        posted(FAULT, Inside(away=True))


def test_posting_twice_is_two_faults_unless_the_event_has_an_id() -> None:
    """Bare data says nothing by which a repetition would be known."""
    inside = Inside()
    for item in (FAULT, FAULT, an_event(id="once"), an_event(id="once")):
        posted(item, inside)

    keys = [batch.faults[0].key for batch in inside.batches]
    assert (len(set(keys[:2])), len(set(keys[2:]))) == (2, 1)


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({"spot_id": "E1"}, "/error"),
        (FAULT | {"error": {"taxonomy": "spotclaim"}}, "/error/code"),
        (FAULT | {"evidence": [a_piece("note"), {"kind": "rumour"}]}, "/evidence/1/kind"),
        (FAULT | {"evidence": [a_piece("note"), {"kind": "photo"}]}, "/evidence/1/url"),
        (an_event(FAULT | {"evidence": [a_piece("meter_reading", register=-1)]}), "/data/evidence/0/register"),
        (FAULT | {"occurred_at": "yesterday"}, "/occurred_at"),
        (FAULT | {"connector_id": True}, "/connector_id"),
        (FAULT | {"error": {"taxonomy": "ocpp1.6", "code": "NoError"}}, "/error/code"),
        (an_event({"spot_id": "E1"}), "/data/error"),
        (an_event(type="rumour"), "/type"),
        (an_event(FAULT | {"occurred_at": "yesterday"}), "/data/occurred_at"),
        (5, ""),
    ],
)
def test_a_problem_points_at_the_mistake(item: Any, pointer: str) -> None:
    """In the item that stands alone, and in the list that it stands in."""
    with pytest.raises(MalformedMessage) as alone:
        posted(item, Inside())
    _, answer = posted([FAULT, item], Inside())

    assert alone.value.pointer == pointer
    assert answer["items"][1]["problem"]["pointer"] == f"/1{pointer}"


def test_a_key_makes_the_same_ids_of_the_same_request() -> None:
    """So the repetition is a duplicate, item by item, and its answer is the first one's."""
    inside, who = Inside(), Identity("billing", "operator")
    body = orjson.dumps([FAULT, FAULT, {"spot_id": "E1"}, an_event(id="e-1")])

    answers = [
        messages.ingest_items(
            body, FAULT_RAISED, who, inside.deliver_batch, lambda: NOW, messages.ids_of("k", who)
        )
        for _ in range(2)
    ]

    assert answers[0] == answers[1]
    first, second = ([fault.key for fault in batch.faults] for batch in inside.batches)
    assert first == second
    assert len(set(first)) == 3


def test_keys_of_different_people_have_nothing_to_do_with_each_other() -> None:
    """Nor have two keys of one."""
    ids = {
        messages.ids_of(key, Identity(name, "operator"))(index)
        for key, name, index in [("k", "a", 0), ("k", "b", 0), ("ka", "", 0), ("l", "a", 0), ("k", "a", 1)]
    }
    assert len(ids) == 5
