"""Times on the wire: stated, missing, impossible, with and without an offset."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from domain.field.batch import Batch
from domain.field.fault import Fault
from domain.field.usage import UsageRecord
from ingest.cloudevents import decode
from tests.builders import NOW, a_message

RECEPTION = decode.Reception(NOW, "test")


def batch_of(body: bytes) -> Batch:
    batch = Batch()
    decode.ingest_message(batch, body, RECEPTION)
    assert batch.quarantined == []
    orjson.dumps(batch)  # what is understood must also travel on
    return batch


def a_fault_at(occurred_at: str | None, time: str | None = None) -> Fault:
    data = {"spot_id": "E1", "error": {"taxonomy": "x", "code": "y"}, "occurred_at": occurred_at}
    return batch_of(a_message(data, time=time)).faults[0]


def a_session(started_at: str | None, ended_at: str | None = None, **changes: Any) -> UsageRecord:
    data = {"spot_id": "E1", "session_id": "s", "started_at": started_at, "ended_at": ended_at, "energy_kwh": 1}
    return batch_of(a_message(data, type="spotclaim.usage.recorded.v1", **changes)).usage[0]


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-10T11:00:00Z",
        "2026-03-10T11:00:00+00:00",
        "2026-03-10T13:00:00+02:00",
        "2026-03-10T06:00:00-05:00",
        "2026-03-10T16:45:00.000000+05:45",
    ],
)
def test_one_moment_in_many_spellings(text: str) -> None:
    """The offset is reckoned in, whatever it is."""
    fault = a_fault_at(text)

    assert (fault.occurred_at, fault.time_quality) == (datetime(2026, 3, 10, 11, tzinfo=UTC), "stated")
    assert fault.stated_time is None


def test_the_events_own_time_stands_in_for_the_faults() -> None:
    """A fault that does not say when it occurred did when its event was made."""
    fault = a_fault_at(None, "2026-03-10T09:00:00Z")

    assert (fault.occurred_at, fault.time_quality) == (datetime(2026, 3, 10, 9, tzinfo=UTC), "stated")


def test_the_faults_time_goes_before_the_events() -> None:
    """Gateways stamp events long after the fault."""
    assert a_fault_at("2026-03-10T08:00:00Z", "2026-03-10T09:00:00Z").occurred_at.hour == 8


def test_without_any_time_it_is_the_time_of_reception() -> None:
    """Marked as such."""
    fault = a_fault_at(None)

    assert (fault.occurred_at, fault.time_quality, fault.stated_time) == (NOW, "received", None)


@pytest.mark.parametrize(
    "text",
    [
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",
        "2026-03-12T12:00:00Z",
    ],
)
def test_an_impossible_time_is_kept_and_not_reckoned_with(text: str) -> None:
    """The time of reception stands in, with the source's own words beside it."""
    fault = a_fault_at(text)

    assert (fault.occurred_at, fault.time_quality, fault.stated_time) == (NOW, "implausible", text)


def test_a_time_without_an_offset_cannot_be_placed() -> None:
    """It might be any of two dozen moments; the words are kept."""
    fault = a_fault_at("2026-03-10T11:00:00")

    assert (fault.occurred_at, fault.time_quality) == (NOW, "implausible")
    assert fault.stated_time == "2026-03-10T11:00:00"


@pytest.mark.parametrize("year", ["0001-01-01", "1970-01-01", "9999-12-31"])
@pytest.mark.parametrize("offset", ["Z", "+14:00", "-12:00", ""])
def test_usage_keeps_impossible_times_as_evidence(year: str, offset: str) -> None:
    """They become findings, and nothing on the way breaks on them."""
    record = a_session(f"{year}T00:00:00{offset}", f"{year}T23:59:59{offset}")

    assert record.started_at is not None
    record.started_at.astimezone(UTC)  # as it will be stored; the year 0 could not be
    assert abs(record.started_at - datetime.fromisoformat(f"{year}T00:00:00Z")) <= timedelta(hours=14)
    assert ("TIME_IMPLAUSIBLE" in record.findings) is (year < "2010")


def test_a_session_that_ends_in_1970_is_taken() -> None:
    """That is what an unset clock writes."""
    record = a_session("2026-03-10T09:00:00Z", "1970-01-01T00:00:00Z")

    assert {"END_BEFORE_START", "TIME_IMPLAUSIBLE"} <= set(record.findings)


@pytest.mark.parametrize("time", [None, "1970-01-01T00:00:00Z", "2027-01-01T00:00:00Z"])
def test_a_record_without_a_usable_time_was_made_when_it_came(time: str | None) -> None:
    """So that it can be ordered among others of its session."""
    assert a_session(None, time=time).recorded_at == NOW
