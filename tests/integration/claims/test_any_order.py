"""Order does not matter: messages in any order, repeated and cut into any batches, make the same claims.

However often steps are carried out in between. `SPOTCLAIM_ORDERS=2000` makes it a long campaign.
"""

import os
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.field.fault import Fault
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from tests.builders import FAULT_TIME, NOW, a_fault, a_spot, a_usage_record
from tests.integration.parts import Spotclaim

Message = Fault | UsageRecord | Spot

ORDERS = int(os.environ.get("SPOTCLAIM_ORDERS", "25"))
# What a claim is to anybody who looks at it, whenever and in whatever order it came to be.
VISIBLE = (
    *("spot_id", "code", "severity", "status", "fault_count", "first_seen_at", "last_seen_at", "cleared_at"),
    *(
        "connector_id",
        "zone",
        "affected_user",
        "reservation_id",
        "session_id",
        "stage",
        "stages",
        "policy_version",
    ),
)

_runs = count()
_hours = st.integers(-4, 4).map(lambda hours: timedelta(hours=hours))
_errors = st.sampled_from(
    [
        ("spotclaim", "METER_MISREAD"),
        ("spotclaim", "SESSION_MISSING"),
        ("spotclaim", "SESSION_OVERLAP"),
        ("spotclaim", "SPOT_OCCUPIED"),
        ("spotclaim", "DOUBLE_ALLOCATION"),
        ("ocpp1.6", "PowerSwitchFailure"),
        ("mrec", "CX016"),
        ("mrec", "CX017"),
    ]
)


@st.composite
def _faults(draw: st.DrawFn, spot_id: str) -> Fault:
    taxonomy, raw_code = draw(_errors)
    return a_fault(
        spot_id=spot_id,
        taxonomy=taxonomy,
        raw_code=raw_code,
        occurred_at=FAULT_TIME + draw(_hours),
        cleared=draw(st.integers(0, 3)) == 0,
        connector_id=draw(st.integers(0, 2)),
        zone=draw(st.sampled_from([None, "north", "south"])),
        reservation_id=draw(st.sampled_from([None, "r-1"])),
        session_id=draw(st.sampled_from([None, "s-1", "s-9"])),
    )


@st.composite
def _usage(draw: st.DrawFn, spot_id: str) -> UsageRecord:
    began = FAULT_TIME + draw(_hours)
    return a_usage_record(
        spot_id=spot_id,
        session_id=draw(st.sampled_from(["s-1", "s-2", "s-3", "s-4"])),
        recorded_at=NOW + draw(_hours),
        connector_id=draw(st.integers(0, 2)),
        started_at=began,
        ended_at=draw(st.sampled_from([None, began + timedelta(hours=1), began + timedelta(hours=3)])),
        energy_kwh=draw(st.sampled_from([11.0, 0.0, -5.0, 11_000.0])),
        meter_stop_kwh=draw(st.sampled_from([111.0, 90.0, -1.0])),
        reservation_id=draw(st.sampled_from([None, "r-1"])),
    )


@st.composite
def _spots(draw: st.DrawFn, spot_id: str) -> Spot:
    return a_spot(
        spot_id=spot_id,
        registered_at=NOW + draw(_hours),
        time_zone=draw(st.sampled_from([None, "Europe/Berlin"])),
        max_power_kw=draw(st.sampled_from([None, 3.7, 22.0])),
        warranty_until=draw(st.sampled_from([None, date(2020, 1, 1), date(2099, 1, 1)])),
    )


def _messages(spot_ids: Sequence[str]) -> st.SearchStrategy[list[Message]]:
    one = st.sampled_from(spot_ids).flatmap(
        lambda spot_id: st.one_of(_faults(spot_id), _faults(spot_id), _usage(spot_id), _spots(spot_id))
    )
    return st.lists(one, min_size=2, max_size=14)


def _batches(draw: st.DrawFn, messages: Sequence[Message]) -> Iterator[list[Message]]:
    """The messages in another order, some of them again, a few at a time."""
    again = draw(st.lists(st.sampled_from(messages), max_size=4))
    order = draw(st.permutations([*messages, *again]))
    while order:
        size = draw(st.integers(1, len(order)))
        yield order[:size]
        order = order[size:]


def _take_in(spotclaim: Spotclaim, messages: Sequence[Message]) -> None:
    fresh = deepcopy(messages)
    spotclaim.take_in(
        faults=[message for message in fresh if isinstance(message, Fault)],
        usage=[message for message in fresh if isinstance(message, UsageRecord)],
        spots=[message for message in fresh if isinstance(message, Spot)],
    )


def _renamed(messages: Sequence[Message], to: str) -> list[Message]:
    """The same messages of other spots, so that both can be in one database."""
    renamed = deepcopy(list(messages))
    for message in renamed:
        message.spot_id = f"{to}-{message.spot_id[-1]}"
        message.key = f"{int(message.key, 16) ^ hash(to) & (1 << 60) - 1:032x}"
    return renamed


def _claims(spotclaim: Spotclaim, run: str) -> list[dict[str, Any]]:
    """What anybody sees of the claims of a run, with their verdicts."""
    rows = spotclaim.rows("SELECT *, id::text AS id FROM claims WHERE spot_id LIKE %s", f"{run}-_")
    seen = [{name: row[name] for name in VISIBLE} | {"verdict": _verdict(spotclaim, row)} for row in rows]
    for claim in seen:
        claim["spot_id"] = claim["spot_id"].removeprefix(f"{run}-")
    return sorted(seen, key=lambda claim: (claim["spot_id"], claim["code"]))


def _without_keys(facts: dict[str, Any]) -> dict[str, Any]:
    """The figures of the records that decide, and not which rows they are."""
    return {
        name: _without_keys(value) if name == "other" else value
        for name, value in facts.items()
        if name not in ("key", "digest")
    }


def _verdict(spotclaim: Spotclaim, claim: dict[str, Any]) -> list[tuple[str, ...]]:
    """Each rule's answer; spots and the keys of messages are others each time."""
    verdict = spotclaim.verdict(claim)
    return [(verdict["outcome"], "", "", "")] + [
        (
            answer["rule"],
            answer["reason"],
            answer["sentence"].replace(claim["spot_id"], "SPOT"),
            str(_without_keys(answer["facts"])),
        )
        for answer in verdict["answers"]
    ]


@pytest.mark.timeout(300 + 5 * ORDERS)
def test_order_does_not_matter(spotclaim: Spotclaim) -> None:
    """All at once and then judged, or in any order with steps in between: the same claims, counts and verdicts."""

    @settings(max_examples=ORDERS, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def demand_the_same(data: st.DataObject) -> None:
        first, second = (f"{next(_runs)}" for _ in range(2))
        messages = data.draw(_messages([f"{first}-{place}" for place in "AB"]))
        _take_in(spotclaim, messages)
        spotclaim.carry_out()

        for batch in _batches(data.draw, _renamed(messages, second)):
            _take_in(spotclaim, batch)
            if data.draw(st.booleans()):
                spotclaim.carry_out()
        spotclaim.carry_out()

        assert _claims(spotclaim, second) == _claims(spotclaim, first)
        # Clocks that are due in days would crowd out the steps of the next run.
        spotclaim.rows("DELETE FROM steps")

    demand_the_same()
    spotclaim.demand_sound_chains()
