"""Chance that falls the same everywhere.

Python promises the same `random()` from the same seed for every version and machine, and nothing of the other
methods. So all else here is made of it with arithmetic that IEEE 754 rounds to the bit, and without logarithms.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Thing = TypeVar("Thing")


class Chance:
    """One source of chance. Its name is its seed, so sources of other names do not shift it."""

    __slots__ = ("number",)

    def __init__(self, *name: object) -> None:
        self.number = Random("/".join(map(str, name))).random  # noqa: S311

    def happens(self, probability: float) -> bool:
        return self.number() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.number()

    def pick(self, things: Sequence[Thing]) -> Thing:
        return things[int(self.number() * len(things))]

    def sample(self, things: Sequence[Thing], count: int) -> list[Thing]:
        """As many different things, in random order."""
        left = list(things)
        return [left.pop(int(self.number() * len(left))) for _ in range(count)]

    def exponential(self, mean: float) -> float:
        """The wait for what happens once in `mean` on average, by comparisons alone (J. von Neumann, 1951)."""
        number, whole = self.number, 0
        while True:
            first = last = number()
            falling = 1
            while (drawn := number()) < last:
                last = drawn
                falling += 1
            if falling % 2:
                return mean * (whole + first)
            whole += 1
