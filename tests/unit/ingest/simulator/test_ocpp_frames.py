"""A stream of OCPP frames is what the import of logs takes, and tells the same story as CloudEvents."""

import csv
from collections import Counter, defaultdict

import orjson
import pytest

from ingest.files.items import RefusedItem, Translated
from ingest.ocpp.reader import read_log
from ingest.simulator.moments import DAY
from ingest.simulator.ocpp_frames import OCPP_LOG
from ingest.simulator.reports import Line
from tests.unit.ingest.simulator.plans import a_plan, events, lines

PLAN = a_plan(duration=3 * DAY, errors=3)


@pytest.fixture(scope="module")
def frames() -> list[Line]:
    return lines(PLAN, OCPP_LOG)


def rows(frames: list[Line]) -> list[str]:
    return [f"{body.decode()}\n" for body in [OCPP_LOG.header, *(frame.body for frame in frames)]]


def test_the_import_understands_every_frame(frames: list[Line]) -> None:
    """One item for each frame, and none refused."""
    items = list(read_log(rows(frames)))
    assert len(items) == len(frames)
    assert [item for item in items if isinstance(item, RefusedItem)] == []
    kinds = Counter(event["type"] for item in items if isinstance(item, Translated) for event in item.events)
    assert kinds["spotclaim.usage.recorded.v1"] > 500
    assert kinds["spotclaim.fault.raised.v1"] > 50
    assert kinds["spotclaim.fault.cleared.v1"] > 20


def test_every_answer_follows_the_request_that_it_names(frames: list[Line]) -> None:
    """Once; and a request that comes again is the same, and unanswered until then."""
    asked: dict[tuple[str, str], str] = {}
    answered: set[tuple[str, str]] = set()
    again = 0
    for _, station, action, message in csv.reader(rows(frames)[1:]):
        kind, unique_id, *rest = orjson.loads(message)
        key = station, unique_id
        assert key not in answered
        if kind == 2:
            assert rest[0] == action
            again += key in asked
            assert asked.setdefault(key, message) == message
        else:
            assert (kind, action) == (3, "")
            assert key in asked
            answered.add(key)
    assert again == sum(frame.again for frame in frames) > 0
    # What the end of the stream cut off.
    assert len(asked) - len(answered) <= 2


def test_both_forms_tell_the_same_sessions(frames: list[Line]) -> None:
    """By their names, registers and times, but for those whose record is wrong."""
    of_events = {
        event["data"]["session_id"]: event["data"]
        for event in events(lines(PLAN))
        if event["type"] == "spotclaim.usage.recorded.v1"
    }
    of_frames = {
        event["data"]["session_id"]: event["data"]
        for item in read_log(rows(frames))
        if isinstance(item, Translated)
        for event in item.events
        if event["type"] == "spotclaim.usage.recorded.v1" and "ended_at" in event["data"]
    }
    both = of_events.keys() & of_frames.keys()
    shared = ("spot_id", "started_at", "ended_at", "meter_start_kwh", "meter_stop_kwh", "energy_kwh", "user")
    differing = [
        session
        for session in both
        if any(of_events[session].get(name) != of_frames[session].get(name) for name in shared)
    ]
    assert len(both) > 500
    assert len(differing) <= 5


def test_registers_go_on_in_the_frames(frames: list[Line]) -> None:
    """Each transaction of a station starts where the last one stopped, but for the few meter faults."""
    left: dict[str, int] = {}
    outcomes: dict[bool, int] = defaultdict(int)
    for _, station, action, message in csv.reader(rows(frames)[1:]):
        payload = orjson.loads(message)[-1]
        if action == "StartTransaction" and station in left:
            outcomes[left.pop(station) == payload["meterStart"]] += 1
        elif action == "StopTransaction":
            left[station] = payload["meterStop"]
    assert outcomes[True] > 500
    assert outcomes[False] <= 10
