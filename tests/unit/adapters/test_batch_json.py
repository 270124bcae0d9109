"""A batch survives the journey through the broker."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import orjson
import pytest

from adapters.batch_json import to_batch
from domain.intake import Batch
from tests.builders import NOW, a_batch, a_clear, a_fault, a_quarantined, a_spot, a_usage_record


def travelled(batch: Batch) -> Batch:
    return to_batch(orjson.loads(orjson.dumps(batch)))


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


@pytest.mark.parametrize("raw", [{}, {"faults": [], "usage": []}, {"faults": [{}], "usage": [], "spots": []}])
def test_another_shape_is_an_error(raw: dict[str, object]) -> None:
    """What is no batch must not pass for an empty one."""
    with pytest.raises((KeyError, TypeError)):
        to_batch(raw)
