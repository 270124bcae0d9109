"""Records that have nothing to do with a claim change no verdict, however many, wherever and whenever they come.

`SPOTCLAIM_ORDERS=2000` makes it a long campaign.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from domain.eligibility.evaluation import INSUFFICIENT
from domain.field.batch import Batch
from domain.field.fault import Fault
from domain.field.usage import UsageRecord
from domain.identifiers import message_key
from domain.policy.error_codes import ALLOCATION_FAILURE
from ingest.cloudevents import decode
from tests.builders import NOW, a_fault, a_usage_record
from tests.integration.parts import Spotclaim
from tests.unit.domain.eligibility.test_campaign import a_case

ORDERS = int(os.environ.get("SPOTCLAIM_ORDERS", "25"))
SAMPLES = Path(__file__).parents[2] / "samples" / "verdicts.json"
# Where nothing at all is known of the spot, any record of it says that its records come in.
SCENARIOS = [one for one in json.loads(SAMPLES.read_text()) if one["usage"]]
RECEPTION = decode.Reception(datetime.fromisoformat("2026-11-01T00:00Z"), "test")

_runs = count()
_beyond = st.floats(49, 24 * 300).map(lambda hours: timedelta(hours=hours))


def _event(kind: str, number: object, spot_id: str, data: dict[str, Any]) -> bytes:
    event = {"specversion": "1.0", "id": f"{spot_id} {number}", "source": "test", "type": f"spotclaim.{kind}.v1"}
    return json.dumps(event | {"data": data | {"spot_id": spot_id}}).encode()


def _related(scenario: dict[str, Any], spot_id: str) -> list[Fault | UsageRecord]:
    """The scenario's own messages, decoded as they come in."""
    batch = Batch()
    for number, usage in enumerate(scenario["usage"]):
        decode.ingest_message(batch, _event("usage.recorded", number, spot_id, usage), RECEPTION)
    decode.ingest_message(batch, _event("fault.raised", "fault", spot_id, scenario["fault"]), RECEPTION)
    return [*batch.usage, *batch.faults]


@st.composite
def _unrelated(draw: st.DrawFn, spot_id: str, moment: datetime, connector: int) -> UsageRecord:
    """A sound or an unsound session elsewhere: on another spot, on another connector, or at another time."""
    where = draw(st.sampled_from(["spot", "connector", "time"] if connector else ["spot", "time"]))
    near = st.integers(-300, 300).map(lambda minutes: timedelta(minutes=minutes))
    far = st.one_of(_beyond, _beyond.map(lambda off: -off))
    began = moment + draw(far if where == "time" else near)
    return a_usage_record(
        spot_id=f"{spot_id} elsewhere" if where == "spot" else spot_id,
        session_id=f"unrelated {draw(st.integers(0, 10**6))}",
        connector_id=98 if where == "connector" else connector,
        user=f"nobody {draw(st.integers(0, 5))}",
        reservation_id=draw(st.sampled_from([None, "another"])),
        started_at=began,
        ended_at=draw(st.sampled_from([None, began + timedelta(minutes=40), began - timedelta(hours=1)])),
        energy_kwh=draw(st.sampled_from([None, 12.345, -7.0, 0.0, 9_999.0])),
        meter_start_kwh=None,
        meter_stop_kwh=draw(st.sampled_from([None, -1.0])) if where != "time" else None,
        received_at=RECEPTION.at,
        recorded_at=RECEPTION.at,
    )


def _ingest(spotclaim: Spotclaim, messages: Sequence[Fault | UsageRecord]) -> None:
    spotclaim.take_in(
        usage=[one for one in messages if isinstance(one, UsageRecord)],
        faults=[one for one in messages if isinstance(one, Fault)],
    )
    spotclaim.carry_out()


def _verdict(spotclaim: Spotclaim, spot_id: str) -> tuple[str, str, str]:
    """Its outcome, and what the rule said that asks the usage records."""
    [claim] = [one for one in spotclaim.claims() if one["spot_id"] == spot_id]
    verdict = spotclaim.verdict(claim)
    [usage] = [one for one in verdict["answers"] if one["rule"] == "usage_corroborates"]
    return verdict["outcome"], usage["reason"], usage["sentence"]


def _of_campaign(seed: int, spot_id: str) -> list[Fault | UsageRecord]:
    """A case of the campaign as messages; none where it asks whether any records of the spot come in."""
    claim, usage, truth = a_case(Random(seed))
    if truth == {INSUFFICIENT} and (claim.claim_type == ALLOCATION_FAILURE or claim.code == "SESSION_MISSING"):
        return []
    records = [
        replace(record, spot_id=spot_id, key=message_key(spot_id, f"{number}", None, b""))
        for number, record in enumerate(usage)
    ]
    names = ("connector_id", "session_id", "reservation_id", "affected_user")
    named = {name: getattr(claim, name) for name in names}
    fault = a_fault(raw_code=claim.code, spot_id=spot_id, occurred_at=claim.first_seen_at, **named)
    return [*records, fault]


@pytest.mark.timeout(300 + 5 * ORDERS)
def test_nor_do_they_in_the_campaign(spotclaim: Spotclaim) -> None:
    """Every kind of session that it makes, sound or broken, in any order."""
    spotclaim.clock.now = RECEPTION.at

    @settings(max_examples=2 * ORDERS, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def demand_the_same(data: st.DataObject) -> None:
        seed = data.draw(st.integers(0, 10**6))
        alone, among = (f"{next(_runs)}" for _ in range(2))
        related = _of_campaign(seed, alone)
        assume(related)
        _ingest(spotclaim, related)

        moment = next(one for one in related if isinstance(one, Fault)).occurred_at
        others = data.draw(st.lists(_unrelated(among, moment, 1), min_size=1, max_size=12))
        messages = data.draw(st.permutations([*_of_campaign(seed, among), *others]))
        cut = data.draw(st.integers(0, len(messages)))
        for part in (messages[:cut], messages[cut:]):
            _ingest(spotclaim, part)

        assert _verdict(spotclaim, among) == _verdict(spotclaim, alone), seed
        spotclaim.rows("DELETE FROM steps")

    demand_the_same()
    spotclaim.demand_sound_chains()


@pytest.mark.timeout(300 + 5 * ORDERS)
def test_unrelated_records_change_no_verdict(spotclaim: Spotclaim) -> None:
    """Before the claim, after it, or in between, and the related ones in any order."""
    spotclaim.clock.now = max(NOW, RECEPTION.at)

    @settings(max_examples=ORDERS, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def demand_the_same(data: st.DataObject) -> None:
        scenario = data.draw(st.sampled_from(SCENARIOS))
        alone, among = (f"{next(_runs)}" for _ in range(2))
        _ingest(spotclaim, _related(scenario, alone))

        fault = scenario["fault"]
        moment = datetime.fromisoformat(fault["occurred_at"])
        others = data.draw(st.lists(_unrelated(among, moment, fault["connector_id"]), min_size=1, max_size=12))
        messages = data.draw(st.permutations([*_related(scenario, among), *others]))
        cut = data.draw(st.integers(0, len(messages)))
        for part in (messages[:cut], messages[cut:]):
            _ingest(spotclaim, part)

        assert _verdict(spotclaim, among) == _verdict(spotclaim, alone), scenario["what"]
        spotclaim.rows("DELETE FROM steps")

    demand_the_same()
    spotclaim.demand_sound_chains()
