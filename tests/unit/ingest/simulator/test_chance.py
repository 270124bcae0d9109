"""Chance falls the same everywhere, and as it should."""

from collections import Counter

import pytest

from ingest.simulator.chance import Chance

DRAWS = 20_000


def test_it_falls_the_same_everywhere() -> None:
    """These numbers are those of every machine and version: Python promises them for `random()` alone."""
    chance = Chance(7, "fleet")
    drawn = (chance.number(), chance.exponential(10.0), chance.between(5, 6), chance.sample("abcdef", 4))
    assert drawn == (0.0008029472933928083, 4.991825415306652, 5.942727933890805, ["f", "d", "a", "b"])


def test_another_name_is_another_source() -> None:
    """What one draws does not shift the other."""
    assert Chance(7, "a").number() != Chance(7, "b").number() != Chance(8, "b").number()


@pytest.mark.parametrize("mean", [0.5, 20.0])
def test_waits_are_exponential(mean: float) -> None:
    """Their mean is right, and so is the share beyond one, two and three means."""
    chance = Chance("waits", mean)
    waits = [chance.exponential(mean) for _ in range(DRAWS)]
    beyond = [sum(wait > times * mean for wait in waits) / DRAWS for times in (1, 2, 3)]
    assert sum(waits) / DRAWS == pytest.approx(mean, rel=0.03)
    assert beyond == pytest.approx([0.3679, 0.1353, 0.0498], abs=0.01)


def test_every_thing_is_picked_as_often() -> None:
    """The first and the last as well."""
    chance = Chance("picks")
    picked = Counter(chance.pick("abcd") for _ in range(DRAWS))
    assert set(picked) == set("abcd")
    assert all(count == pytest.approx(DRAWS / 4, rel=0.05) for count in picked.values())


def test_a_sample_holds_nothing_twice() -> None:
    """As many as asked for, up to all there are."""
    chance = Chance("samples")
    assert all(len(set(chance.sample(range(9), 6))) == 6 for _ in range(200))
    assert sorted(chance.sample(range(9), 9)) == list(range(9))
