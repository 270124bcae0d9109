"""The demo: a fleet with a past, a first fault within seconds, and then more of them."""

from datetime import UTC, datetime, timedelta
from threading import Event

from domain.field.batch import Batch
from ingest.simulator import demo

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WEEK = timedelta(days=7)


def test_the_first_fault_comes_within_seconds() -> None:
    """A newcomer sees the fleet with a week of sessions at once, and a fault before losing interest."""
    # Given the moment at which somebody starts the demo
    began, stopping = datetime.now(UTC), Event()
    batches: list[Batch] = []

    def deliver_batch(batch: Batch) -> None:
        batches.append(batch)
        if any(fault.occurred_at > began for fault in batch.faults):
            stopping.set()

    # When it runs until a fault of the present is reported
    demo.run(deliver_batch, lambda: datetime.now(UTC), stopping)
    # Then the spots and what they did in the past week were there before
    spots = [spot for batch in batches for spot in batch.spots]
    usage = [record for batch in batches for record in batch.usage]
    assert len({spot.spot_id for spot in spots}) == 16
    assert len(usage) > 200
    assert all(began - 2 * WEEK < record.started_at < began for record in usage if record.started_at)
    assert [batch for batch in batches if batch.quarantined] == []
    # And the fault is of seconds later and of a spot under warranty, so that it leads to something
    fault, *_ = [fault for batch in batches for fault in batch.faults if fault.occurred_at > began]
    assert fault.occurred_at - began < timedelta(seconds=6)
    [until] = {spot.warranty_until for spot in spots if spot.spot_id == fault.spot_id}
    assert until is not None
    assert until > began.date()


def test_a_demo_that_is_started_again_tells_the_same_sessions() -> None:
    """A second history on the same meters would contradict the first."""
    first, again = (_past_sessions(moment) for moment in (NOW, NOW + timedelta(hours=3)))
    assert len(first & again) > 200
    assert len(first ^ again) < 30


def _past_sessions(moment: datetime) -> set[str]:
    """The past sessions of a demo that is started at this moment."""
    stopping, sessions = Event(), set[str]()

    def deliver_batch(batch: Batch) -> None:
        sessions.update(record.key for record in batch.usage if record.recorded_at < moment)
        if any(fault.occurred_at > moment for fault in batch.faults):
            stopping.set()

    demo.run(deliver_batch, lambda: moment, stopping)
    return sessions
