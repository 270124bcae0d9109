"""Random numbers that are the same on every machine and version.

Python promises that only of `random()`, not of the other methods. So all else here is computed from it with
arithmetic that IEEE 754 rounds exactly, and without logarithms.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Thing = TypeVar("Thing")


class Chance:
    """A source of random numbers whose name is its seed. Sources of other names do not shift it."""

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
        """Returns as many different things, in random order."""
        left = list(things)
        return [left.pop(int(self.number() * len(left))) for _ in range(count)]

    def exponential(self, mean: float) -> float:
        """Returns a waiting time, `mean` on average. By comparisons alone (J. von Neumann, 1951)."""
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
