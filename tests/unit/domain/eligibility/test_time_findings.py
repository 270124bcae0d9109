"""What the times of a usage record reveal beside that of its making."""

from datetime import timedelta

import pytest

from domain.eligibility.time_findings import recorded_before_end
from domain.field.usage import UsageRecord
from tests.builders import FAULT_TIME, NOW, a_usage_record


@pytest.mark.parametrize(
    ("minutes_after_end", "expected"), [(-60, True), (-11, True), (-10, False), (0, False), (1, False)]
)
def test_a_record_cannot_be_made_before_the_end_it_states(minutes_after_end: int, expected: bool) -> None:
    """Clocks may differ by some minutes."""
    recorded_at = FAULT_TIME + timedelta(minutes=minutes_after_end)
    assert recorded_before_end(a_usage_record(recorded_at=recorded_at)) is expected


@pytest.mark.parametrize(
    "record",
    [
        a_usage_record(ended_at=None, recorded_at=NOW - timedelta(hours=5)),
        a_usage_record(ended_at=NOW + timedelta(minutes=20), recorded_at=NOW - timedelta(minutes=1)),
        a_usage_record(ended_at=NOW - timedelta(days=1), recorded_at=NOW - timedelta(days=1), received_at=NOW),
        a_usage_record(ended_at=NOW + timedelta(hours=2), recorded_at=NOW - timedelta(minutes=1)),
    ],
)
def test_what_another_finding_says_is_not_said_twice(record: UsageRecord) -> None:
    """No end, an end that is yet to come, an end that is just then, and local time given as UTC."""
    assert not recorded_before_end(record)


@pytest.mark.parametrize(
    ("minutes_ago", "changes", "running"),
    [
        (30, {"under_way": True}, True),
        (61, {"under_way": True}, False),
        (-1, {"under_way": True}, False),
        (30, {}, False),
        (30, {"under_way": True, "started_at": None}, False),
    ],
)
def test_a_session_under_way_was_running_until_its_last_word(
    minutes_ago: int, changes: dict[str, bool], running: bool
) -> None:
    """What came after that nobody has said."""
    record = a_usage_record(
        **({"started_at": NOW - timedelta(hours=1), "ended_at": None, "recorded_at": NOW} | changes)
    )
    assert record.running_at(NOW - timedelta(minutes=minutes_ago)) is running
