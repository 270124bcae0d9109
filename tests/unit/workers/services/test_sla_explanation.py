"""The clocks of a claim, explained to people and programs."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import orjson
import pytest

from domain.claims import sla
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange
from domain.policy.calendar import ALWAYS, Calendar
from domain.policy.policy import Policy, Target
from tests.builders import NOW, a_claim, a_policy, a_spot
from workers.cli.claims.claim_view import story
from workers.services.sla_explanation import SlaExplanation

HOUR = timedelta(hours=1)
TARGET = Target(acknowledge_hours=4, resolve_hours=72, severities=("high",), calendar="nonstop")
POLICY = a_policy(version="v7", targets=(TARGET,), calendars={"always": ALWAYS, "nonstop": Calendar("nonstop")})


def a_bound_claim(**changes: Any) -> Claim:
    claim = a_claim(**({"status": "verifying"} | changes))
    bound = sla.bind(claim, claim.status, a_spot(time_zone="Europe/Berlin"), POLICY, NOW)
    ClockChange(**bound).apply(claim)
    return claim


def explained(claim: Claim, hours: float) -> dict[str, dict[str, Any]]:
    """By clock, after so many hours."""

    def of_version(version: str) -> Policy:
        assert version == "v7"
        return POLICY

    clocks = SlaExplanation(of_version, lambda: NOW + hours * HOUR)(asdict(claim) | {"verdict": None})
    orjson.dumps(clocks)
    return {clock["clock"]: clock for clock in clocks}


def test_a_clock_is_explained_by_what_it_shows() -> None:
    """How much of what is used up, since when and until when."""
    clock = explained(a_bound_claim(), 18)["resolve"]

    assert (clock["state"], clock["target_hours"], clock["used_hours"], clock["share"]) == (
        "running",
        72,
        18,
        0.25,
    )
    assert (clock["calendar"], clock["time_zone"]) == ("nonstop", "Europe/Berlin")
    assert (clock["started_at"], clock["warn_at"], clock["due_at"]) == (NOW, NOW + 54 * HOUR, NOW + 72 * HOUR)
    assert clock["why"] == (
        "policy v7, target 1 (high): resolve within 72 hours of the calendar nonstop in Europe/Berlin, "
        "counted from 2026-03-10 12:00 UTC; never paused"
    )


def test_a_clock_is_explained_with_its_pauses() -> None:
    """Each from when to when, the last perhaps not over."""
    claim = a_bound_claim()
    for hours, status in ((1, "awaiting_evidence"), (3, "under_review"), (4, "awaiting_evidence")):
        ClockChange(**sla.follow(claim, status, POLICY, NOW + hours * HOUR)).apply(claim)
        claim.status = status

    clock = explained(claim, 9)["resolve"]

    assert (clock["state"], clock["due_at"], clock["used_hours"]) == ("paused", None, 2)
    assert clock["pauses"] == [
        {"from": NOW + HOUR, "until": NOW + 3 * HOUR},
        {"from": NOW + 4 * HOUR, "until": None},
    ]
    assert clock["why"].endswith(
        "; paused from 2026-03-10 13:00 UTC to 2026-03-10 15:00 UTC, from 2026-03-10 16:00 UTC on"
    )


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "breached"),
        ({"acknowledged_at": NOW + HOUR}, "met"),
        ({"acknowledged_at": NOW + 5 * HOUR}, "breached"),
        ({"status": "resolved", "closed_at": NOW + HOUR}, "met"),
    ],
    ids=["nobody came", "in time", "late", "closed"],
)
def test_a_clock_is_explained_with_its_end(changes: dict[str, Any], state: str) -> None:
    """Met or breached."""
    claim = a_bound_claim(**changes)

    assert (explained(claim, 99)["acknowledge"]["state"], explained(claim, 99)["acknowledge"]["breached"]) == (
        state,
        state == "breached",
    )


def test_a_claim_without_clocks_has_none_to_explain() -> None:
    """It was not verified yet."""
    assert explained(a_claim(), 1) == {}


def test_the_story_of_a_claim_has_its_clocks() -> None:
    """Due in the time of the site, with the reason below."""
    claim = a_bound_claim(acknowledged_at=NOW + HOUR)
    row = asdict(claim) | {"verdict": None}

    lines = list(story(row, None, list(explained(claim, 36).values()), [], [], [], intact=True))

    place = lines.index("Clock")
    assert lines[place + 1 : place + 5] == [
        "  acknowledge  met       1.00 of 4 h used (25%), due 2026-03-10 17:00 CET, stopped 2026-03-10 14:00 CET, "
        "calendar nonstop, Europe/Berlin",
        f"           why {explained(claim, 36)['acknowledge']['why']}",
        "  resolve      running   36.00 of 72 h used (50%), due 2026-03-13 13:00 CET, "
        "calendar nonstop, Europe/Berlin",
        f"           why {explained(claim, 36)['resolve']['why']}",
    ]
