"""Computes the negative binomial distribution: counts that scatter more than independent chance.

It is the Poisson distribution whose mean is itself drawn from a gamma distribution, here with the mean `mean` and
the squared coefficient of variation `dispersion`: the variance is `mean + dispersion * mean ** 2`. Without
dispersion it is the Poisson distribution. Neither is negative.
"""

import math
from collections.abc import Iterator
from itertools import count, islice
from typing import Final

# A mean above this in one window makes the exact number meaningless.
_MOST: Final = 10_000


def chances(mean: float, dispersion: float) -> Iterator[float]:
    """Iterates over the chances of 0, 1, 2... without end."""
    spread = dispersion * mean
    # So little of it makes no difference, and would be divided by.
    if spread < 1e-9:
        spread = dispersion = 0.0
    chance = math.exp(-math.log1p(spread) / dispersion if dispersion else -mean)
    for number in count():
        yield chance
        chance *= (mean + spread * number) / ((number + 1) * (1 + spread))


def at_least(number: int, mean: float, dispersion: float) -> float:
    """Returns the chance of this number or more."""
    return max(0.0, 1 - sum(islice(chances(mean, dispersion), number)))


def reached_with(chance: float, mean: float, dispersion: float) -> int:
    """Returns the least number that is reached with at most this chance."""
    left = 1.0
    for number, here in enumerate(chances(mean, dispersion)):
        if left <= chance or number == _MOST:
            break
        left -= here
    return number
