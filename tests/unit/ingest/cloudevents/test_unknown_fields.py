"""Fields that a message's type does not know: kept, and warned about with the nearest that is known."""

from typing import Any

import orjson
import pytest

from domain.field.batch import Batch
from ingest.cloudevents import decode
from ingest.cloudevents.unknown_fields import warnings
from tests.builders import NOW

FAULT = {"spot_id": "E1", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}}
USAGE = {"spot_id": "E1", "session_id": "s-1"}
SPOT = {"spot_id": "E1"}


def decoded(type_: str, data: dict[str, Any]) -> Batch:
    batch = Batch()
    event = {"specversion": "1.0", "id": "1", "source": "test", "type": type_, "data": data}
    decode.ingest_message(batch, orjson.dumps(event), decode.Reception(NOW, "test"))
    return batch


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("spotclaim.fault.raised.v1", FAULT),
        ("spotclaim.usage.recorded.v1", USAGE),
        ("spotclaim.spot.registered.v1", SPOT),
    ],
)
def test_unknown_fields_are_kept(type_: str, data: dict[str, Any]) -> None:
    """As they were sent, beside those that are known."""
    batch = decoded(type_, data | {"occured_at": "2026-03-10T11:00:00Z", "x": {"deep": [1]}})

    [message] = [*batch.faults, *batch.usage, *batch.spots]
    assert message.unknown == {"occured_at": "2026-03-10T11:00:00Z", "x": {"deep": [1]}}


def test_a_message_of_known_fields_has_none() -> None:
    [fault] = decoded("spotclaim.fault.raised.v1", FAULT | {"zone": "north"}).faults

    assert fault.unknown is None


def test_those_of_the_error_are_found_too() -> None:
    error = {"taxonomy": "spotclaim", "code": "METER_MISREAD", "inof": "E42"}
    [fault] = decoded("spotclaim.fault.raised.v1", FAULT | {"error": error}).faults

    assert fault.unknown == {"error.inof": "E42"}
    assert list(warnings(fault.unknown)) == [
        ("error.inof", "error.inof is not known, and was kept; the nearest that is known is error.info.")
    ]


def test_a_warning_names_the_nearest_known_field_only_where_there_is_one() -> None:
    sentences = [sentence for _, sentence in warnings({"occured_at": 1, "firmware_build": 2})]

    assert sentences == [
        "firmware_build is not known, and was kept.",
        "occured_at is not known, and was kept; the nearest that is known is occurred_at.",
    ]


def test_nothing_is_warned_about_where_all_is_known() -> None:
    assert list(warnings(None)) == []
