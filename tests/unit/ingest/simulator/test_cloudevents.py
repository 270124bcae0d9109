"""A stream of CloudEvents is what intake accepts."""

from collections import Counter
from itertools import pairwise

from ingest.simulator.moments import DAY
from tests.unit.ingest.simulator.plans import a_plan, events, ingested, lines


def test_every_message_is_understood() -> None:
    """None goes to quarantine, and each becomes what it is counted as."""
    sent = lines(a_plan(duration=5 * DAY, errors=3))
    batch = ingested(sent)
    kinds = Counter(line.kind for line in sent)
    cleared = sum(fault.cleared for fault in batch.faults)
    assert batch.quarantined == []
    assert kinds == {
        "spots registered": len(batch.spots),
        "sessions": len(batch.usage),
        "faults raised": len(batch.faults) - cleared,
        "faults cleared": cleared,
    }
    assert min(kinds.values()) >= 100


def test_what_is_sent_again_is_the_same_to_the_byte() -> None:
    """And only that has the identity of an earlier message."""
    sent = lines(a_plan(duration=5 * DAY, errors=3))
    before: set[bytes] = set()
    for line in sent:
        assert (line.body in before) == line.again
        before.add(line.body)
    batch = ingested(sent)
    keys = {message.key for message in [*batch.faults, *batch.usage, *batch.spots]}
    assert len(keys) == len(before) == len({(event["source"], event["id"]) for event in events(sent)})
    assert len(sent) > len(before)


def test_some_overtake_others() -> None:
    """They are sent in the order of arrival, which is not that of their own times."""
    sent = lines(a_plan(errors=3))
    times = [event["time"] for event in events(sent)]
    assert [line.at for line in sent] == sorted(line.at for line in sent)
    assert sum(after < before for before, after in pairwise(times)) > 5


def test_a_refused_reservation_has_its_answer() -> None:
    """The evidence that such claims need, and under whose reservation."""
    faults = [event["data"] for event in events(lines(a_plan(errors=20))) if "fault.raised" in event["type"]]
    refused = [fault for fault in faults if fault["error"]["code"] == "Occupied"]
    assert refused
    assert all(fault["reservation_id"] and fault["affected_user"] for fault in refused)
    assert all(
        fault["evidence"] == [{"kind": "reservation_response", "status": "Occupied", "time": fault["occurred_at"]}]
        for fault in refused
    )
