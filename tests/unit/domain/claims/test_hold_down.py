"""Hold-down: what clears in time never becomes a claim, what lasts or flaps does."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit import chain as audit
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.hold_down import Episode, Report, episodes, submit
from domain.steps import Submit, Verify
from tests.builders import NOW, a_claim, a_policy
from tests.unit.domain.written import written

HELD = 300
POLICY = a_policy(
    codes={
        **a_policy().codes,
        "METER_MISREAD": replace(a_policy().codes["METER_MISREAD"], hold_down_seconds=HELD),
    },
    flapping_episodes=3,
    flapping_minutes=60,
)
QUIET = timedelta(minutes=60)


def at(seconds: float) -> datetime:
    """So long before or after now."""
    return NOW + timedelta(seconds=seconds)


def raised(*seconds: float) -> list[Report]:
    return [(at(moment), False) for moment in seconds]


def cleared(*seconds: float) -> list[Report]:
    return [(at(moment), True) for moment in seconds]


def observed(reports: Sequence[Report]) -> tuple[Claim, Changes]:
    """A claim that was reported like this, after its look."""
    claim = a_claim(status="observed")
    return claim, submit([(claim, reports)], POLICY, NOW)


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_episodes_do_not_depend_on_the_order(order: tuple[int, ...]) -> None:
    """A raise within an episode and a clear outside of one say nothing new."""
    reports = [*raised(0, 10, 40), *cleared(20, 30)]

    found = episodes(reports[place] for place in order)

    assert found == [Episode(at(0), at(20)), Episode(at(40))]


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans())))
def test_episodes_take_turns(reports: list[tuple[int, bool]]) -> None:
    """Each begins no earlier than the one before ended, and only the last may go on; repeats change nothing."""
    reported = [(at(moment), clear) for moment, clear in reports]
    found = episodes(reported)

    assert all(one.cleared_at and one.cleared_at <= next_.raised_at for one, next_ in pairwise(found))
    assert all(e.cleared_at is None or e.raised_at <= e.cleared_at for e in found)
    assert episodes([*reported, *reported]) == found


def test_what_lasts_is_submitted() -> None:
    """And verified; its hold-down ends with its last moment."""
    claim, changes = observed(raised(-HELD))

    assert (claim.status, claim.closed_at) == ("submitted", None)
    assert changes.steps == [Verify([claim.id])]
    assert (changes.events[0].kind, '"why":"lasted"' in changes.events[0].body) == ("claim.submitted", True)


def test_what_lasted_is_a_claim_though_it_has_cleared_since() -> None:
    """Both messages came late, together."""
    claim, _ = observed([*raised(-5 * HELD), *cleared(-HELD)])

    assert claim.status == "submitted"


def test_what_cleared_in_time_lapses_after_a_quiet_time() -> None:
    """It is closed, so that a new fault is observed anew; nobody is notified."""
    claim, changes = observed([*raised(-3600 - 10), *cleared(-3600)])

    assert (claim.status, claim.closed_at, changes.steps) == ("withdrawn", NOW, [])
    assert changes.events[0].kind == "claim.lapsed"


def test_until_then_it_may_flap() -> None:
    """It stays observed, and is looked at once more."""
    claim, changes = observed([*raised(-20), *cleared(-10)])

    assert (claim.status, claim.version, changes.of(Claim), changes.events) == ("observed", 0, [], [])
    assert changes.steps == [Submit([claim.id], due_at=at(-10) + QUIET)]


def test_each_raise_has_its_own_hold_down() -> None:
    """What came back is not held against the first."""
    claim, changes = observed([*raised(-HELD, -10), *cleared(-HELD + 5)])

    assert claim.status == "observed"
    assert changes.steps == [Submit([claim.id], due_at=at(HELD - 10))]


def test_what_flaps_is_a_claim_however_short_its_episodes() -> None:
    """Three within the hour, each of a second."""
    claim, changes = observed([*raised(-3600, -1800, 0), *cleared(-3599, -1799, 1)])

    assert claim.status == "submitted"
    assert '"episodes":3,"why":"flapping"' in changes.events[0].body


def test_what_comes_back_more_slowly_does_not_flap() -> None:
    """Three episodes, of which no three began within the hour."""
    claim, _ = observed([*raised(-3602, -1800, -1), *cleared(-3601, -1799, 0)])

    assert claim.status == "observed"


def test_repeats_of_one_episode_do_not_flap() -> None:
    """The same frame every ten seconds is one episode."""
    claim, _ = observed(raised(-40, -30, -20, -10))

    assert claim.status == "observed"


def test_a_clock_that_runs_ahead_is_waited_for_no_longer() -> None:
    """The next look is due within the hold-down, or the quiet time, from now on."""
    _, ahead = observed(raised(7200))
    _, over = observed([*raised(7200), *cleared(7201)])

    assert [step.due_at for step in (*ahead.steps, *over.steps)] == [at(HELD), NOW + QUIET]


def test_a_claim_that_is_not_observed_any_more_is_left_alone() -> None:
    """A repeated step changes nothing."""
    claims = [a_claim(), a_claim(status="under_review")]

    assert written(submit([(claim, raised(-HELD)) for claim in claims], POLICY, NOW)) == []


def test_the_events_follow_from_the_opening() -> None:
    """One chain."""
    claim, changes = observed(raised(-HELD))

    assert audit.first_broken(changes.events) is None
    assert claim.version == 1
