"""The demo: a fleet with a past, a first fault within seconds, and then more of them."""

from datetime import UTC, datetime, timedelta
from threading import Event

from domain.intake import Batch
from ingest import demo

WEEK = timedelta(days=7)


def test_the_first_fault_comes_within_seconds() -> None:
    """A newcomer sees the fleet with a week of sessions at once, and a fault before losing interest."""
    # Given the moment at which somebody starts the demo
    began, stopping = datetime.now(UTC), Event()
    batches: list[Batch] = []

    def hand_over(batch: Batch) -> None:
        batches.append(batch)
        if any(fault.occurred_at > began for fault in batch.faults):
            stopping.set()

    # When it runs until a fault of the present is reported
    demo.run(hand_over, lambda: datetime.now(UTC), stopping)
    # Then that took seconds
    assert datetime.now(UTC) - began < timedelta(seconds=6)
    # And the spots and what they did in the past week were there before
    spots = [spot for batch in batches for spot in batch.spots]
    usage = [record for batch in batches for record in batch.usage]
    assert len({spot.spot_id for spot in spots}) == 16
    assert len(usage) > 200
    assert all(began - WEEK < record.started_at < began for record in usage if record.started_at)
    assert [batch for batch in batches if batch.quarantined] == []
