"""Waits that grow with each failure in a row."""

from datetime import timedelta

import pytest

from domain.backoff import Backoff

BACKOFF = Backoff(timedelta(seconds=0.1), timedelta(seconds=5))


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.1), (2, 0.2), (3, 0.4), (6, 3.2), (7, 5), (8, 5)])
def test_each_wait_is_twice_the_one_before(failures: int, seconds: float) -> None:
    """Up to the longest."""
    assert BACKOFF.after(failures) == timedelta(seconds=seconds)


def test_failures_without_end() -> None:
    """An outage of months is waited out like any other."""
    assert BACKOFF.after(10**9) == timedelta(seconds=5)


def test_a_longest_wait_below_the_first() -> None:
    """It is never exceeded."""
    assert Backoff(timedelta(minutes=1), timedelta(seconds=1)).after(1) == timedelta(seconds=1)
