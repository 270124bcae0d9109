"""Thresholds in force: loaded when they are first needed, and again when they are old."""

from domain.incidents.thresholds import Thresholds
from domain.incidents.windows import ZONE, Group
from tests.builders import NOW
from workers.runtime.cached_thresholds import CachedThresholds

GROUP = Group("POWER_FAILURE", ZONE, "harbour")


def test_they_are_looked_up_again_after_five_minutes() -> None:
    """Not before, and not without need."""
    moment, fewest = [0.0], [4]
    threshold = CachedThresholds(lambda: Thresholds(fewest=fewest[0]), lambda: moment[0])
    assert threshold(GROUP, NOW) == 4

    fewest[0] = 7
    moment[0] = 299.0
    assert threshold(GROUP, NOW) == 4
    moment[0] = 300.0
    assert threshold(GROUP, NOW) == 7
