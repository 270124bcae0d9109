"""Ways to judge a window, each by a score that an alarm needs a level of: ours, and the usual ones beside it.

Every way but the fixed count of messages looks at distinct spots, and has no alarm under 3 of them.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from statistics import mean, stdev
from typing import Final

from domain.incidents.baseline import Baseline, learn
from domain.incidents.negative_binomial import at_least
from domain.incidents.windows import Group
from tests.benchmarks.detection.sightings import WINDOW, History, Seen

Score = Callable[[Seen], float]

OURS: Final = "ours: negative binomial, shrunk"
MESSAGES: Final = "fixed count of messages"
_BASELINE_DAYS: Final = range(3, 10)
_HOURS_A_DAY: Final = 24
# The smallest standard deviation that C2 reckons with; of 0.2, 0.5 and 1 the one with the best recall.
_C2_FLOOR: Final = 0.5


def scores(history: History) -> dict[str, Score]:
    """Every way, knowing this history. Scores of chances are their negative logarithms."""
    usual = {(one.code, one.kind): one for one in learn(history.places, history.tallies)}
    return {
        OURS: _quantile(usual, dispersed=True),
        MESSAGES: lambda seen: seen.faults,
        "fixed count of spots": lambda seen: seen.spots,
        "Poisson, the place's own mean": _poisson(history),
        "EARS C2, same hour of day": _ears_c2(history),
        POISSON_OURS: _quantile(usual, dispersed=False),
    }


POISSON_OURS: Final = "Poisson, with our means"


def _quantile(usual: Mapping[tuple[str, str], Baseline], dispersed: bool) -> Score:
    def score(seen: Seen) -> float:
        code, kind, place = seen.group
        one = usual[code, kind]
        return _surprise(seen.spots, one.means[place][seen.hour], one.dispersion if dispersed else 0.0)

    return score


def _poisson(history: History) -> Score:
    """The mean over all hours of the place: that of one hour of the week is mostly 0 after some weeks, which makes
    everything an alarm."""
    spots: dict[Group, int] = {}
    for tally in history.tallies:
        spots[tally.group] = spots.get(tally.group, 0) + tally.spots
    means = {
        group: number / sum(history.places[group.kind, group.place].windows) for group, number in spots.items()
    }
    return lambda seen: _surprise(seen.spots, means.get(seen.group, 0.0), 0.0)


def _ears_c2(history: History) -> Score:
    """Standard deviations above the mean of seven earlier days at the same time, two days left out between
    (Hutwagner et al., 2003)."""

    def score(seen: Seen) -> float:
        hour, there = seen.last // WINDOW, history.spots[seen.group]
        before = [there.get(hour - _HOURS_A_DAY * day, 0) for day in _BASELINE_DAYS]
        return (seen.spots - mean(before)) / max(_C2_FLOOR, stdev(before))

    return score


@lru_cache(maxsize=1 << 18)
def _surprise(spots: int, mean: float, dispersion: float) -> float:
    return -math.log(max(at_least(spots, mean, dispersion), 1e-300))
