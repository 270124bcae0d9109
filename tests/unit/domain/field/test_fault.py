"""The time a fault is reckoned with."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.field.fault import settle_time
from tests.builders import NOW


def test_a_plausible_time_is_kept() -> None:
    """The source's own words count while they can be true."""
    stated = NOW - timedelta(days=400)

    assert settle_time(stated, NOW) == (stated, "stated")


def test_without_a_time_reception_stands_in() -> None:
    """The quality says that the source stated none."""
    assert settle_time(None, NOW) == (NOW, "received")


@pytest.mark.parametrize(
    ("stated", "quality"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "implausible"),
        (datetime(1970, 1, 1, tzinfo=UTC), "implausible"),
        (datetime(2009, 12, 31, 23, 59, 59, tzinfo=UTC), "implausible"),
        (datetime(2010, 1, 1, tzinfo=UTC), "stated"),
        (NOW + timedelta(days=1), "stated"),
        (NOW + timedelta(days=1, microseconds=1), "implausible"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "implausible"),
    ],
)
def test_an_impossible_time_gives_way(stated: datetime, quality: str) -> None:
    """Before any such station existed, or further ahead than a clock may be wrong."""
    moment, found = settle_time(stated, NOW)

    assert found == quality
    assert moment == (stated if quality == "stated" else NOW)


def test_offsets_do_not_matter() -> None:
    """The same moment in another zone is judged the same."""
    ahead = (NOW + timedelta(days=1)).astimezone(timezone(timedelta(hours=14)))

    assert settle_time(ahead, NOW) == (ahead, "stated")
