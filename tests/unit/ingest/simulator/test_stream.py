"""The same plan gives the same stream, byte for byte, and a long one needs no more memory than a short one."""

import time
import tracemalloc
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.simulator.cloudevents import CLOUD_EVENTS
from ingest.simulator.moments import DAY, HOUR, SECOND
from ingest.simulator.ocpp_frames import OCPP_LOG
from ingest.simulator.outages import Outage
from ingest.simulator.reports import Form
from ingest.simulator.stream import stream
from tests.unit.ingest.simulator.plans import START, a_plan, ingested, lines

FORMS = {"events": CLOUD_EVENTS, "ocpp": OCPP_LOG}
# Whoever changes the fleet on purpose writes the new digests down; nothing else may change them.
DIGESTS = {
    "events": "f956a9428cde44b13e0b7cee8bd8a003554210e1cf564b1df6101ddee8ba891c",
    "ocpp": "4d051cc854d60903651a50b73cb5c9a7122a680e2707015a4e09ea06a170a2d6",
}


@pytest.fixture(params=["UTC", "Asia/Kolkata"])
def _machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine in another time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_machine")
@pytest.mark.parametrize("name", FORMS)
def test_a_stream_is_the_same_on_every_machine(name: str) -> None:
    """To the byte, with everything that can be in it."""
    plan = a_plan(spots=600, duration=2 * DAY, errors=2, outages=(Outage("harbour", HOUR),))
    digest = sha256(b"\n".join(line.body for line in stream(plan, FORMS[name])))
    assert digest.hexdigest() == DIGESTS[name]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0), spots=st.integers(1, 60), hours=st.integers(0, 40), form=st.sampled_from(list(FORMS)))
def test_a_plan_decides_everything(seed: int, spots: int, hours: int, form: str) -> None:
    """Again and again, in the order of arrival, and within its time."""
    plan = a_plan(seed=seed, spots=spots, duration=hours * HOUR)
    sent = lines(plan, FORMS[form])
    assert sent == lines(plan, FORMS[form])
    assert all(before.at <= after.at for before, after in pairwise(sent))
    assert all(plan.start <= line.at < plan.end for line in sent)


def test_another_seed_is_another_stream() -> None:
    """In every message but the shape of it."""
    assert not {line.body for line in lines(a_plan(seed=1))} & {line.body for line in lines(a_plan(seed=2))}


@pytest.mark.parametrize("later", [1, HOUR, 400 * DAY])
def test_another_start_is_the_same_fleet_with_other_sessions(later: int) -> None:
    """Both may go into one system: no session, and no reservation, is another's of the same spot."""
    first, second = (ingested(lines(a_plan(start=START + after))) for after in (0, later))
    assert {spot.spot_id for spot in first.spots} == {spot.spot_id for spot in second.spots}
    for name in ("session_id", "reservation_id"):
        ids = [
            {(each.spot_id, getattr(each, name)) for each in sent.usage if getattr(each, name)}
            for sent in (first, second)
        ]
        assert not ids[0] & ids[1]
        assert all(ids)


def test_a_longer_stream_begins_like_a_shorter_one() -> None:
    """So a stream can be looked at from its beginning."""
    short = lines(a_plan(duration=12 * HOUR))
    assert lines(a_plan(duration=DAY))[: len(short)] == short


def test_a_fleet_can_be_registered_alone() -> None:
    """The first seconds hold every spot, with all that is known of it."""
    spots = ingested(lines(a_plan(duration=2 * SECOND))).spots
    assert len({spot.spot_id for spot in spots}) == 100
    assert {spot.time_zone for spot in spots} == {"Europe/Berlin"}
    assert all(spot.model and spot.firmware and spot.zone and spot.max_power_kw for spot in spots)


def test_a_calm_beginning_has_no_errors() -> None:
    """But for what drivers say of their sessions."""
    sent = ingested(lines(a_plan(duration=2 * DAY, calm=DAY, errors=50)))
    faults = [fault for fault in sent.faults if fault.taxonomy == "ocpp1.6"]
    assert len(faults) > 100
    assert all(fault.occurred_at.day > 2 for fault in faults)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_long_stream_is_never_held_as_a_whole(form: Form) -> None:
    """Only what is under way, which is a small part of it; and what caches keep, whatever its length."""
    plan = a_plan(duration=20 * DAY)
    tracemalloc.start()
    sent = sum(len(line.body) for line in stream(plan, form))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.6 * sent
