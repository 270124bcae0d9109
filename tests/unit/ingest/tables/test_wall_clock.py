"""What the clock on the wall showed becomes one moment, on the days the clocks change too.

Europe/London: 26 March 2017 has no 01:30, 29 October 2017 has two.
"""

from datetime import datetime

import pytest

from ingest.tables import wall_clock

LONDON = wall_clock.zone("Europe/London")


@pytest.mark.parametrize(
    ("shown", "meant"),
    [
        ("2017-07-01T12:00:00", "2017-07-01T12:00:00+01:00"),
        ("2017-10-29T00:59:00", "2017-10-29T00:59:00+01:00"),
        ("2017-10-29T01:30:00", "2017-10-29T01:30:00+01:00"),
        ("2017-10-29T02:00:00", "2017-10-29T02:00:00+00:00"),
        ("2017-03-26T01:30:00", "2017-03-26T01:30:00+00:00"),
        ("2017-10-29T01:30:00Z", "2017-10-29T01:30:00+00:00"),
    ],
)
def test_a_time_gets_the_offset_of_its_zone(shown: str, meant: str) -> None:
    """The first pass of a repeated hour, the offset before a skipped one, and its own where it states one."""
    assert wall_clock.moment(datetime.fromisoformat(shown), LONDON).isoformat() == meant


@pytest.mark.parametrize(
    ("start", "end", "meant"),
    [
        # Both passes could be meant.
        ("2017-10-29T01:10:00", "2017-10-29T01:40:00", "2017-10-29T01:40:00+01:00"),
        # Only the second could.
        ("2017-10-29T01:55:00", "2017-10-29T01:20:00", "2017-10-29T01:20:00+00:00"),
        # Neither could: that stays an end before its start.
        ("2017-10-29T03:00:00", "2017-10-29T01:20:00", "2017-10-29T01:20:00+01:00"),
        ("2017-10-29T12:00:00", "2017-10-29T11:00:00", "2017-10-29T11:00:00+00:00"),
        ("0001-01-01T00:00:00", "2017-10-29T01:20:00", "2017-10-29T01:20:00+01:00"),
    ],
)
def test_an_end_is_read_in_the_pass_that_follows_its_start(start: str, end: str, meant: str) -> None:
    """A repeated hour is no reason to call a session reversed."""
    started = wall_clock.moment(datetime.fromisoformat(start), LONDON)
    assert wall_clock.end(datetime.fromisoformat(end), LONDON, started).isoformat() == meant


def test_an_end_without_a_start_is_read_like_any_time() -> None:
    """There is nothing to tell the passes apart by."""
    end = wall_clock.end(datetime(2017, 10, 29, 1, 20), LONDON, None)
    assert end.isoformat() == "2017-10-29T01:20:00+01:00"


@pytest.mark.parametrize("name", ["Europe/Dundee", "Europe", "../etc/passwd", "/etc/localtime", "", "a\0b"])
def test_a_name_there_is_no_zone_of(name: str) -> None:
    """Folders, paths and inventions alike."""
    with pytest.raises(ValueError, match="no IANA time zone"):
        wall_clock.zone(name)
