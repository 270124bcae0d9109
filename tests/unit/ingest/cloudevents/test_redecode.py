"""A message out of quarantine is read again as the message that it was."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from domain.errors import MalformedMessage
from domain.field.batch import Batch
from domain.field.quarantine import QuarantineEntry
from ingest.cloudevents import decode
from ingest.cloudevents.redecode import decoded, read_again
from tests.builders import NOW, an_event

SENDER = "controller-7"
GOOD_DATA = {"spot_id": "E1", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}}


def an_entry(body: bytes, headers: dict[str, Any] | None = None, **changes: Any) -> QuarantineEntry:
    """What intake makes of the bytes, as it is in quarantine."""
    batch = Batch()
    decode.ingest_message(batch, body, decode.Reception(NOW, "rabbitmq", SENDER), headers)
    [kept] = batch.quarantined
    fields = {
        **{name: getattr(kept, name) for name in ("key", "reason", "sentence", "size", "door", "source")},
        "state": "open",
        "body": body,
        "attributes": kept.attributes,
        "received_at": kept.received_at,
    }
    return QuarantineEntry(**(fields | changes))


def an_api_entry(body: bytes) -> QuarantineEntry:
    """Bare data that a program posted."""
    return an_entry(body, attributes={"source": "api:program", "type": "spotclaim.fault.raised.v1"})


BAD = an_event({"spot_id": "E1"}, id="m-1")
MENDED = orjson.dumps(BAD | {"data": GOOD_DATA})


def test_a_replay_is_received_when_and_from_whom_it_was() -> None:
    """Not now and not from whoever replays it."""
    [fault] = read_again(an_entry(orjson.dumps(BAD)), MENDED, "a person").faults

    assert (fault.source, fault.message_id, fault.received_at, fault.filed_by) == (
        "controller:7",
        "m-1",
        NOW,
        SENDER,
    )


def test_a_message_that_nobody_vouched_for_is_vouched_for_by_who_replays_it() -> None:
    """So that they cannot approve it themselves."""
    [fault] = read_again(an_entry(orjson.dumps(BAD), source=None), MENDED, "a person").faults

    assert fault.filed_by == "a person"


def test_what_is_wrong_as_before_is_refused_as_before() -> None:
    """With the same code."""
    entry = an_entry(orjson.dumps(BAD))
    with pytest.raises(MalformedMessage) as refused:
        read_again(entry, entry.body, "a person")
    assert refused.value.code == entry.reason == "MISSING_FIELD"


@pytest.mark.parametrize("change", [{"id": "m-2"}, {"source": "controller:8"}])
def test_another_identity_is_refused(change: dict[str, str]) -> None:
    """An edit mends a message; it does not make another one."""
    with pytest.raises(MalformedMessage, match="A replay keeps the message's") as refused:
        read_again(an_entry(orjson.dumps(BAD)), orjson.dumps(BAD | {"data": GOOD_DATA} | change), "a person")
    assert refused.value.code == "OTHER_IDENTITY"


def test_an_identity_that_could_not_be_read_is_given_by_the_edit() -> None:
    """Bytes that are no JSON state none, an empty id is none."""
    for body in (orjson.dumps(BAD)[:-5], orjson.dumps(BAD | {"id": ""})):
        [fault] = read_again(an_entry(body), MENDED, "a person").faults
        assert fault.message_id == "m-1"


def test_a_number_as_id_is_kept() -> None:
    """Intake accepts it as text."""
    entry = an_entry(orjson.dumps(BAD | {"id": 7}))
    [fault] = read_again(entry, orjson.dumps(BAD | {"id": "7", "data": GOOD_DATA}), "a person").faults
    assert fault.message_id == "7"


def test_binary_mode_keeps_its_attributes() -> None:
    """The bytes are the data alone; who sent which message stood in the headers."""
    headers = {f"cloudEvents:{name}": value for name, value in BAD.items() if name != "data"}
    entry = an_entry(b'{"spot_id": "E1"}', headers)

    [fault] = read_again(entry, orjson.dumps(GOOD_DATA), "a person").faults
    assert (fault.source, fault.message_id) == ("controller:7", "m-1")
    with pytest.raises(MalformedMessage, match="keeps the message's id"):
        read_again(entry, orjson.dumps(an_event(GOOD_DATA, id="m-2")), "a person")


def test_two_binary_messages_with_the_same_data_are_two() -> None:
    """They differ in their headers alone."""
    keys = {
        an_entry(b"{}", {f"cloudEvents:{name}": value for name, value in an_event(id=message_id).items()}).key
        for message_id in ("m-1", "m-2")
    }
    assert len(keys) == 2


def test_bare_data_has_one_made_id_however_often_it_is_replayed() -> None:
    """The entry's own key."""
    entry = an_api_entry(b'{"spot_id": "E1"}')
    ids = {read_again(entry, orjson.dumps(GOOD_DATA), "a person").faults[0].message_id for _ in range(2)}

    assert ids == {entry.key}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2', {"a": [1, 2]}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"nonsense", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
        (b"9" * 5000, None),
    ],
)
def test_bytes_are_decoded_as_far_as_it_goes(body: bytes, value: Any) -> None:
    """And never further than is safe."""
    assert decoded(body, cut_short=True) == value


def test_a_reception_of_yesterday_stays_one() -> None:
    """A fault without a time of its own occurred when the message came."""
    entry = an_entry(orjson.dumps(BAD | {"time": None}), received_at=NOW - timedelta(days=1))
    [fault] = read_again(entry, orjson.dumps(BAD | {"time": None, "data": GOOD_DATA}), "a person").faults
    assert fault.occurred_at == NOW - timedelta(days=1)
