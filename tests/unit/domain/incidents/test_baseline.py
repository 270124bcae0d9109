"""What is usual, learnt from counts: many of them speak for themselves, and few are spoken for by the fleet."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from statistics import fmean

import pytest

from domain.incidents.baseline import Baseline, Observed, Tally, chance_for, learn
from domain.incidents.negative_binomial import at_least
from domain.incidents.thresholds import HOURS
from domain.incidents.windows import ZONE, Group

CODE = "POWER_FAILURE"
WEEKS = 8
Mean = Callable[[int, int], float]
"""Of a place and an hour of the week."""


def history(
    means: Mean, places: int = 10, weeks: int = WEEKS, dispersion: float = 0.0, code: str = CODE, seed: int = 1
) -> Iterator[Tally]:
    """Counts as chance has them."""
    chance = random.Random(f"{seed}/{code}")
    for place in range(places):
        for hour in range(HOURS):
            counts = [draw(chance, means(place, hour), dispersion) for _ in range(weeks)]
            if any(counts):
                squares = sum(count**2 for count in counts)
                yield Tally(Group(code, ZONE, str(place)), hour, sum(counts), squares)


def draw(chance: random.Random, mean: float, dispersion: float) -> int:
    if dispersion:
        mean *= chance.gammavariate(1 / dispersion, dispersion)
    number, left = 0, chance.expovariate(1)
    while left < mean:
        number, left = number + 1, left + chance.expovariate(1)
    return number


def fleet(places: int = 10, weeks: int = WEEKS, capacity: int = 100) -> dict[tuple[str, str], Observed]:
    return {(ZONE, str(place)): Observed(capacity, [weeks] * HOURS) for place in range(places)}


def usual_of(tallies: Iterator[Tally], **places: int) -> Baseline:
    return next(one for one in learn(fleet(**places), tallies) if one.code == CODE)


def by_day(_: int, hour: int) -> float:
    return 0.4 if 8 <= hour % 24 < 20 else 0.1


def test_a_rare_error_has_the_week_of_the_fleet() -> None:
    """Eight weeks of one place say nothing of an hour of the week, and ten places with other errors do."""
    others = [*history(lambda *_: 5 * by_day(*_), code="OTHER"), *history(lambda *_: by_day(*_) / 5)]

    usual = usual_of(iter(others))

    day, night = usual.means["3"][34], usual.means["3"][24 + 3]
    assert 3 < day / night < 5
    assert fmean(map(fmean, usual.means.values())) == pytest.approx(0.05, rel=0.1)


def test_a_place_of_its_own_keeps_its_level() -> None:
    """Three times as much as elsewhere in every hour is believed."""
    usual = usual_of(history(lambda place, hour: by_day(place, hour) * (3 if place == 4 else 1)))

    assert fmean(usual.means["4"]) / fmean(usual.means["5"]) == pytest.approx(3, rel=0.15)


def test_an_hour_of_its_own_is_learnt() -> None:
    """A place where one hour of the week is always bad."""
    usual = usual_of(history(lambda place, hour: 9.0 if (place, hour) == (2, 50) else 0.2))

    assert usual.means["2"][50] > 4
    assert max(usual.means["3"]) < 1


def test_a_place_without_an_error_expects_what_the_fleet_has() -> None:
    """By its spots; less so the longer it is without."""
    tallies = list(history(lambda *_: 0.2, places=9))
    places = fleet(9)

    [new] = learn(places | {(ZONE, "9"): Observed(50, [0] * HOURS)}, tallies)
    [old] = learn(places | {(ZONE, "9"): Observed(50, [WEEKS] * HOURS)}, tallies)

    assert fmean(new.means["9"]) == pytest.approx(0.1, rel=0.1)
    assert fmean(old.means["9"]) < 0.05


def test_what_was_left_out_is_no_window_without_errors() -> None:
    """Half of the windows belonged to incidents: the mean is that of the other half."""
    tallies = [tally._replace(left_out=WEEKS) for tally in history(lambda *_: 0.5)]

    usual = usual_of(iter(tallies), weeks=2 * WEEKS)

    assert fmean(map(fmean, usual.means.values())) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("dispersion", [0.0, 0.3, 1.0])
def test_dispersion_is_that_of_the_counts(dispersion: float) -> None:
    """By moments over the fleet."""
    usual = usual_of(history(lambda *_: 0.5, dispersion=dispersion))

    assert usual.dispersion == pytest.approx(dispersion, abs=0.1)


def test_thresholds_are_quantiles() -> None:
    """Each is reached with at most the chance, and left out is who never needs more than three."""
    usual = Baseline(CODE, ZONE, {"a": [2.0] * 100 + [0.5] * 68, "b": [0.01] * HOURS}, 0.3)

    [(group, week)] = usual.thresholds(1e-4)

    assert group == Group(CODE, ZONE, "a")
    for mean, threshold in zip(usual.means["a"], week, strict=True):
        assert at_least(threshold, mean, 0.3) <= 1e-4 < at_least(threshold - 1, mean, 0.3)


@pytest.mark.parametrize("wanted", [0.02, 0.2, 1.0])
def test_false_alarms_are_as_many_as_wanted(wanted: float) -> None:
    """Faults that come by chance, a thousand days of one place: how often as many spots as the threshold come
    together within an hour, once the one before has passed."""
    mean = 0.8
    usual = Baseline(CODE, ZONE, {"a": [mean] * HOURS}, 0.0)
    chance = chance_for([usual], wanted, timedelta(hours=1))
    [(_, week)] = usual.thresholds(chance)
    source, at, window, alarms, days = random.Random(7), 0.0, list[float](), 0, 1_000
    while at < 24 * days:
        at += source.expovariate(mean)
        window = [*(one for one in window if one > at - 1), at]
        alarms += len(window) == week[0]

    assert alarms / days <= wanted * 1.1
    assert at_least(week[0] - 1, mean, 0.0) > chance


def test_nothing_is_learnt_from_nothing() -> None:
    """A fleet without a fault, and faults of a place that nobody observed."""
    assert learn(fleet(), []) == []
    assert learn({}, [Tally(Group(CODE, ZONE, "a"), 0, 3, 9)]) == []
    assert chance_for([], 1.0, timedelta(hours=1)) > 0
