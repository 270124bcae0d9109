"""Reports arrive, mostly at once."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.simulator.moments import HOUR, MINUTE, SECOND
from ingest.simulator.repeats import arrivals
from tests.unit.ingest.simulator.plans import START


@given(st.floats(0, 1, exclude_max=True))
def test_nothing_arrives_before_it_is_made(luck: float) -> None:
    """Nor more than two days after; and what is sent again comes some seconds after the first."""
    first, *again = arrivals(START, luck)
    assert START < first <= START + 48 * HOUR
    assert all(10 * SECOND <= at - first <= 4 * MINUTE for at in again)


def test_a_few_are_late_and_a_few_come_twice() -> None:
    """Two in a hundred each; of the late ones some by hours."""
    arrived = [arrivals(0, (number + 0.5) / 100_000) for number in range(100_000)]
    assert sum(len(moments) == 2 for moments in arrived) == 2000
    assert sum(moments[0] > MINUTE for moments in arrived) == 2000
    assert sum(moments[0] > 3 * HOUR for moments in arrived) in range(50, 150)
