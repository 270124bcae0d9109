"""Counts that scatter more than independent chance would have it: the negative binomial distribution.

It is the Poisson distribution whose mean is itself drawn from a gamma distribution, here with the mean `mean` and
the squared coefficient of variation `dispersion`: the variance is `mean + dispersion * mean ** 2`. Without dispersion
it is the Poisson distribution.
"""

import math
from collections.abc import Iterator
from itertools import count
from typing import Final

# Whoever expects more in one window has no use for counting them one by one.
_MOST: Final = 100_000


def chances(mean: float, dispersion: float) -> Iterator[float]:
    """The chances of 0, 1, 2... without an end. `mean` and `dispersion` are not negative."""
    spread = dispersion * mean
    chance = math.exp(-mean if spread < 1e-9 else -math.log1p(spread) / dispersion)
    for number in count():
        yield chance
        chance *= (mean + dispersion * mean * number) / ((number + 1) * (1 + spread))


def exceeded_with(mean: float, dispersion: float, chance: float) -> int:
    """The least number that is reached or exceeded with at most this chance, which is above 0."""
    left = 1.0
    for number, here in enumerate(chances(mean, dispersion)):
        if left <= chance or number == _MOST:
            return number
        left -= here
    raise AssertionError
