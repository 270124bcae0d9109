"""An outage strikes whom it should, its truth is what the stream tells, and nothing else changes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import SetupError
from ingest.simulator.errors import BY_CODE
from ingest.simulator.moments import DAY, HOUR, MINUTE, SECOND
from ingest.simulator.ocpp_frames import OCPP_LOG
from ingest.simulator.outages import Outage, parse_outage
from ingest.simulator.stream import Plan
from tests.unit.ingest.simulator.plans import START, a_plan, events, lines, ms

OF_A_ZONE = Outage("harbour", 5 * MINUTE, "GROUND_FAILURE", 9)
OF_A_MODEL = Outage("Corvid-150+7.6", 2 * HOUR, spots=8)


@pytest.mark.parametrize(
    ("text", "outage"),
    [
        ("harbour@+5m", Outage("harbour", 5 * MINUTE)),
        ("harbour:OVER_CURRENT@+90s/12", Outage("harbour", 90 * SECOND, "OVER_CURRENT", 12)),
        ("Corvid-150+7.6@+1h30m", Outage("Corvid-150+7.6", 90 * MINUTE)),
        ("Corvid-150+7.6:GROUND_FAILURE@+0s/1", Outage("Corvid-150+7.6", 0, "GROUND_FAILURE", 1)),
    ],
)
def test_an_outage_from_the_command_line(text: str, outage: Outage) -> None:
    """A place, perhaps a code, when, and perhaps how many."""
    assert parse_outage(text) == outage


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("harbour", "write it as ZONE[:CODE]@+AFTER[/SPOTS]"),
        ("@+5m", "write it as ZONE[:CODE]@+AFTER[/SPOTS]"),
        ("harbour@5m", "write it as ZONE[:CODE]@+AFTER[/SPOTS]"),
        ("harbour@+", "write it like 90s, 5m"),
        ("harbour@+5", "write it like 90s, 5m"),
        ("harbour@+5m/", "no number of spots"),
        ("harbour@+5m/0", "no number of spots"),
        ("harbour@+5m/-3", "no number of spots"),
        ("harbour@+5m/many", "no number of spots"),
        ("harbour:POWER_FAILUR@+5m", "Is it POWER_FAILURE? There are: COMMUNICATION_FAILURE,"),
        ("harbour:METER_MISREAD@+5m", "There are: COMMUNICATION_FAILURE,"),
    ],
)
def test_a_wrong_outage_is_refused_with_what_is_right(text: str, right: str) -> None:
    """With the text it is about."""
    with pytest.raises(SetupError) as refused:
        parse_outage(text)
    assert str(refused.value).startswith(f"--outage {text}: ")
    assert right in str(refused.value)


@pytest.mark.parametrize(
    ("outage", "right"),
    [
        (
            Outage("harbor", 0),
            "--outage harbor: the fleet has no such zone or model. Is it harbour? There are: Aurum",
        ),
        (Outage("Corvid-150", 0), "Is it Corvid-150+7."),
        (Outage("harbour", 0, spots=51), "51 spots are more than the 50 that stand there"),
    ],
)
def test_an_outage_needs_a_place_of_the_fleet(outage: Outage, right: str) -> None:
    """With enough spots; what there is, is named."""
    with pytest.raises(SetupError) as refused:
        a_plan(outages=(outage,)).truth()
    assert right in str(refused.value)


def outbreak_events(plan: Plan, number: int) -> list[dict[str, Any]]:
    return [event for event in events(lines(plan)) if f"/outage-{number}." in event["id"]]


@pytest.mark.parametrize("number", [1, 2])
def test_the_truth_is_what_the_stream_tells(number: int) -> None:
    """Code, place, spots, first fault and end are those of the messages."""
    # Given a stream with two outbreaks, and what is said to be true of one
    plan = a_plan(outages=(OF_A_ZONE, OF_A_MODEL))
    truth = plan.truth()[number - 1]
    # When its messages are looked at
    sent = outbreak_events(plan, number)
    raised = [event["data"] for event in sent if "raised" in event["type"]]
    spots = {spot.spot_id: spot for spot in plan.fleet}
    # Then they say the same
    assert {data["error"]["code"] for data in raised} == {BY_CODE[truth.code].raw}
    assert sorted({data["spot_id"] for data in raised}) == truth.spots
    assert min(data["occurred_at"] for data in raised) == truth.first_fault
    assert ms(truth.first_fault) == START + plan.outages[number - 1].after
    assert max(event["data"]["occurred_at"] for event in sent) == truth.end
    struck = [spots[spot_id] for spot_id in truth.spots]
    if truth.zone:
        assert {spot.zone.name for spot in struck} == {"harbour"}
        assert len(struck) == 9
    else:
        assert {(spot.model.name, spot.firmware) for spot in struck} == {(truth.model, truth.firmware)}
        assert len({spot.zone for spot in struck}) == 2


def test_the_truth_ends_with_the_stream() -> None:
    """Spots that have not reported by then are not in it, nor is an outage that has not begun."""
    whole = a_plan(outages=(OF_A_ZONE,)).truth()[0]
    cut = a_plan(outages=(OF_A_ZONE, OF_A_MODEL), duration=10 * MINUTE)
    [truth] = cut.truth()
    raised = [event["data"]["spot_id"] for event in outbreak_events(cut, 1) if "raised" in event["type"]]
    assert truth.spots == sorted(set(raised))
    assert 0 < len(truth.spots) < len(whole.spots)
    assert ms(truth.end) == cut.end


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    place=st.sampled_from(["harbour", "station-square"]),
    code=st.sampled_from(sorted(BY_CODE)),
    after=st.integers(0, DAY),
)
def test_an_outage_changes_nothing_else(seed: int, place: str, code: str, after: int) -> None:
    """Without its own messages the stream is the same, byte for byte and in the same order, in both forms."""
    outage = Outage(place, after, code, 5)
    for given_form in ({}, {"form": OCPP_LOG}):
        plain = [line.body for line in lines(a_plan(seed=seed, duration=6 * HOUR), **given_form)]
        struck = [
            line.body for line in lines(a_plan(seed=seed, duration=6 * HOUR, outages=(outage,)), **given_form)
        ]
        assert [body for body in struck if b"outage-1." not in body] == plain


def test_a_larger_number_of_outages_leaves_the_first_alone() -> None:
    """What one does is its own."""
    assert a_plan(outages=(OF_A_ZONE,)).truth() == a_plan(outages=(OF_A_ZONE, OF_A_MODEL)).truth()[:1]
