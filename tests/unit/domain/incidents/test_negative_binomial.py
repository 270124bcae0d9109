"""The negative binomial distribution: its sums, its moments and its quantiles."""

import math
from itertools import islice

import pytest

from domain.incidents.negative_binomial import at_least, chances, reached_with


@pytest.mark.parametrize("dispersion", [0.0, 1e-12, 0.3, 4.0])
@pytest.mark.parametrize("mean", [0.0, 0.05, 1.0, 12.0])
def test_chances_have_the_mean_and_the_variance(mean: float, dispersion: float) -> None:
    """They sum to 1; the variance is the mean and its square times the dispersion."""
    these = list(islice(chances(mean, dispersion), 2_000))
    first = sum(number * chance for number, chance in enumerate(these))
    second = sum(number**2 * chance for number, chance in enumerate(these))

    assert sum(these) == pytest.approx(1)
    assert first == pytest.approx(mean)
    assert second - first**2 == pytest.approx(mean + dispersion * mean**2)


def test_without_dispersion_it_is_poisson() -> None:
    """By its formula."""
    for number, chance in enumerate(islice(chances(2.5, 0.0), 12)):
        assert chance == pytest.approx(math.exp(-2.5) * 2.5**number / math.factorial(number))


def test_dispersion_1_is_geometric() -> None:
    """By its formula: 1 / (1 + mean) for 0, and mean / (1 + mean) times as much for each more."""
    assert list(islice(chances(3.0, 1.0), 4)) == pytest.approx([0.25, 0.25 * 0.75, 0.25 * 0.75**2, 0.25 * 0.75**3])


@pytest.mark.parametrize("chance", [0.3, 0.01, 1e-5])
@pytest.mark.parametrize("dispersion", [0.0, 0.5])
def test_the_quantile_is_the_least_number_so_rare(chance: float, dispersion: float) -> None:
    """It is reached with at most this chance, and one less with more."""
    number = reached_with(chance, 2.0, dispersion)

    assert at_least(number, 2.0, dispersion) <= chance < at_least(number - 1, 2.0, dispersion)
