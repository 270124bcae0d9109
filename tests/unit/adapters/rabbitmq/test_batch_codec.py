"""A batch survives the journey through the broker."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from adapters.rabbitmq.batch_codec import from_batch, to_batch
from domain.field.batch import Batch
from tests.builders import NOW, a_batch, a_clear, a_fault, a_quarantined, a_spot, a_usage_record


def travelled(batch: Batch) -> Batch:
    return to_batch(orjson.loads(orjson.dumps(from_batch(batch))))


def test_every_kind_of_message_arrives_as_it_was_sent() -> None:
    """Field by field, with its moments and days."""
    batch = a_batch(
        faults=[a_fault(evidence=[{"kind": "note", "text": "ü"}], zone="north"), a_clear()],
        usage=[a_usage_record(samples=[{"kwh": 1.5}]), a_usage_record(started_at=None, ended_at=None)],
        spots=[a_spot(warranty_until=date(2026, 12, 31), latitude=52.5), a_spot()],
        quarantined=[a_quarantined(b"\xff\x00")],
    )

    assert travelled(batch) == batch


@pytest.mark.parametrize(
    "moment",
    [
        NOW.replace(microsecond=1),
        NOW.astimezone(timezone(timedelta(hours=5, minutes=45))),
        NOW.replace(year=1, month=1, day=1),
        NOW.replace(year=9999, month=12, day=31),
    ],
)
def test_moments_keep_their_microseconds_and_offsets(moment: datetime) -> None:
    """At the ends of the calendar as well."""
    record = replace(a_usage_record(), started_at=moment)

    assert travelled(a_batch(usage=[record])).usage == [record]


def test_a_batch_of_another_version_is_read_as_far_as_it_is_known() -> None:
    """While processes are replaced one by one, the old and the new understand each other."""
    fault = a_fault()
    table = from_batch(a_batch(faults=[fault]))["faults"]
    newer = {"names": [*table["names"], "mood"], "rows": [[*row, "bad"] for row in table["rows"]]}
    older = {"names": table["names"][:8], "rows": [row[:8] for row in table["rows"]]}

    for other in (newer, older):
        [read] = to_batch(orjson.loads(orjson.dumps({"faults": other}))).faults
        assert (read.key, read.spot_id, read.occurred_at) == (fault.key, fault.spot_id, fault.occurred_at)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"faults": []},
        {"faults": {"names": ["key"], "rows": [["k"]]}},
        {"faults": {"names": ["key"], "rows": [1]}},
        {"faults": {"rows": []}},
        {"others": {"names": [], "rows": []}},
        5,
    ],
)
def test_another_shape_is_an_error(raw: Any) -> None:
    """What is no batch must not pass for an empty one."""
    with pytest.raises((KeyError, TypeError, AttributeError, ValueError)):
        to_batch(raw)
