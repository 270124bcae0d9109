"""Learns the baseline: how many spots of a place usually show an error.

It counts distinct spots within one window, for each hour of the week. What a place showed in one hour of the week
over some months is little, so its mean is shrunk towards what is known better, in steps: the rate of the code over
the fleet, times the place's capacity, times the shape of the week of all errors, corrected for that of the code,
for the place, and at last for this hour there. Each correction is a factor with a gamma prior around 1 (empirical
Bayes): observed and expected counts are both increased by the prior's strength, which is estimated by moments from
how much the observed really differ from the expected. So few counts change little, and many speak for themselves.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Final, NamedTuple

from domain.incidents.negative_binomial import chances, reached_with
from domain.incidents.thresholds import HOURS
from domain.incidents.windows import Group
from domain.policy.policy import FEWEST_SPOTS

_WEAKEST: Final = 0.5
_STRONGEST: Final = 1e6
_LEAST_CHANCE: Final = 1e-9
_GREATEST_CHANCE: Final = 0.1
_HALVINGS: Final = 16


class Tally(NamedTuple):
    """The spots that a series showed in one hour of the week.

    `spots` and `squares` are sums over the windows that ended in that hour: of their distinct spots, and of the
    squares. `left_out` windows belonged to an incident and are in neither sum.
    """

    group: Group
    hour: int
    spots: int
    squares: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Observed:
    """A place as it was observed: its capacity in spots, and its windows.

    `windows` are the numbers of windows that ended in each hour of the week, 168. Hours without any data, from
    anywhere or from the place (`domain.incidents.data_gaps`), are unknown and not counted.
    """

    capacity: int
    windows: Sequence[int]


Places = Mapping[tuple[str, str], Observed]
"""By kind and name."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The baseline of one code and kind: the means of each place, and the dispersion.

    Each place has 168 means, one for each hour of the week.
    """

    code: str
    kind: str
    means: Mapping[str, Sequence[float]]
    dispersion: float

    def thresholds(self, chance: float) -> Iterator[tuple[Group, list[int]]]:
        """Computes each series' thresholds by hour of the week.

        A threshold is the number of spots that a window reaches with at most this chance. Series where it is never
        above the fewest spots of an incident are left out.
        """
        for place, means in self.means.items():
            week = [max(FEWEST_SPOTS, reached_with(chance, mean, self.dispersion)) for mean in means]
            if max(week) > FEWEST_SPOTS:
                yield Group(self.code, self.kind, place), week


def learn(places: Places, tallies: Iterable[Tally]) -> list[Baseline]:
    """Learns the baselines of every code that was seen on places of a kind.

    Each covers all observed places of that kind.
    """
    by_kind: dict[str, dict[str, list[Tally]]] = defaultdict(lambda: defaultdict(list))
    for tally in tallies:
        if (tally.group.kind, tally.group.place) in places:
            by_kind[tally.group.kind][tally.group.code].append(tally)
    learnt = []
    for kind, by_code in by_kind.items():
        there = {name: place for (of, name), place in places.items() if of == kind}
        shape = _shape(there, [tally for tallies in by_code.values() for tally in tallies])
        learnt += [_usual(code, kind, there, shape, tallies) for code, tallies in by_code.items()]
    return learnt


def chance_for(usual: Iterable[Baseline], alarms_a_day: float, window: timedelta) -> float:
    """Finds the chance for `Baseline.thresholds` that gives so many false alarms a day.

    They are counted over all series. A window of `window` comes to hold `n` spots `n` times as often, per its own
    length, as it is found holding `n` (the arrivals that find `n - 1`), so that is how often an alarm is expected;
    two that follow each other closely are one incident, so there are rather fewer.
    """
    cells = Counter(
        (float(f"{mean:.2g}"), one.dispersion) for one in usual for means in one.means.values() for mean in means
    )
    windows_a_day = timedelta(days=1) / window

    def expected(chance: float) -> float:
        alarms = 0.0
        for (mean, dispersion), number in cells.items():
            threshold = max(FEWEST_SPOTS, reached_with(chance, mean, dispersion))
            alarms += number * threshold * next(islice(chances(mean, dispersion), threshold, None))
        return alarms * windows_a_day / HOURS

    low, high = _LEAST_CHANCE, _GREATEST_CHANCE
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if expected(middle) <= alarms_a_day else (low, middle)
    return low


class _Prior(NamedTuple):
    """A gamma prior around 1. The strength is the expected count that weighs as much as the prior does."""

    strength: float

    def factor(self, observed: float, expected: float) -> float:
        return (observed + self.strength) / (expected + self.strength)


def _prior(pairs: Iterable[tuple[float, float]], scatter: float) -> _Prior:
    """Estimates a prior from observed and expected counts, which scatter by `scatter` times the expected."""
    pairs = list(pairs)
    excess = sum((observed - expected) ** 2 - scatter * expected for observed, expected in pairs)
    squares = sum(expected**2 for _, expected in pairs)
    if excess * _STRONGEST <= squares:
        return _Prior(_STRONGEST)
    return _Prior(max(_WEAKEST, scatter * squares / excess))


def _shape(places: Mapping[str, Observed], tallies: Sequence[Tally]) -> list[float]:
    """Returns the shape of the week of all errors together; 1 on average."""
    spots, windows = [0.0] * HOURS, [0.0] * HOURS
    for tally in tallies:
        spots[tally.hour] += tally.spots
    for place in places.values():
        for hour, number in enumerate(place.windows):
            windows[hour] += number * place.capacity
    overall = sum(spots) / max(sum(windows), 1.0)
    prior = _prior(((n, overall * w) for n, w in zip(spots, windows, strict=True)), 1.0)
    return [prior.factor(n, overall * w) for n, w in zip(spots, windows, strict=True)]


def _usual(
    code: str, kind: str, places: Mapping[str, Observed], shape: Sequence[float], tallies: Sequence[Tally]
) -> Baseline:
    windows = {name: [float(number) for number in place.windows] for name, place in places.items()}
    spots = {name: [0.0] * HOURS for name in places}
    for tally in tallies:
        # Of hours within an incident some may be unknown besides.
        known = windows[tally.group.place][tally.hour] - tally.left_out
        windows[tally.group.place][tally.hour] = max(0.0, known)
        spots[tally.group.place][tally.hour] += tally.spots
    scatter, dispersion = _scatter(windows, tallies)
    means = {name: [place.capacity * form for form in shape] for name, place in places.items()}
    everywhere = [(name, hour) for name in places for hour in range(HOURS)]
    expected = sum(means[name][hour] * windows[name][hour] for name, hour in everywhere)
    rate = sum(map(sum, spots.values())) / max(expected, 1e-9)
    for name, hour in everywhere:
        means[name][hour] *= rate
    for parts in (
        [[(name, hour) for name in places] for hour in range(HOURS)],
        [[(name, hour) for hour in range(HOURS)] for name in places],
        [[cell] for cell in everywhere],
    ):
        _correct(means, windows, spots, parts, scatter)
    return Baseline(code, kind, means, dispersion)


_Cells = Sequence[tuple[str, int]]


def _correct(
    means: dict[str, list[float]],
    windows: Mapping[str, Sequence[float]],
    spots: Mapping[str, Sequence[float]],
    parts: Sequence[_Cells],
    scatter: float,
) -> None:
    """Corrects the means, part by part, by what was observed of the part."""
    counts = [
        (
            sum(spots[name][hour] for name, hour in cells),
            sum(means[name][hour] * windows[name][hour] for name, hour in cells),
        )
        for cells in parts
    ]
    prior = _prior(counts, scatter)
    for cells, pair in zip(parts, counts, strict=True):
        factor = prior.factor(*pair)
        for name, hour in cells:
            means[name][hour] *= factor


def _scatter(windows: Mapping[str, Sequence[float]], tallies: Iterable[Tally]) -> tuple[float, float]:
    """Measures how counts of the same hour in one place differ from week to week.

    Returns their variance over their mean, and the dispersion of a negative binomial distribution that differs as
    much; both by moments.
    """
    totals = variances = excess = squares = 0.0
    for tally in tallies:
        number = windows[tally.group.place][tally.hour]
        if number >= 2:
            mean = tally.spots / number
            variance = (tally.squares - number * mean**2) / (number - 1)
            totals += number * mean
            variances += number * variance
            excess += number * (variance - mean)
            squares += number * mean**2 - variance
    return max(1.0, variances / totals) if totals else 1.0, max(0.0, excess / squares) if squares > 0 else 0.0
