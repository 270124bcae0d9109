"""Wall-clock times of the row's zone; `test_wall_clock` has every day that the clocks change."""

from tests.unit.ingest.tables.reader.reading import dundee, sessions, usage


def test_an_end_before_its_start_in_the_repeated_hour_is_in_its_second_pass() -> None:
    """Three Dundee sessions look as if they ended before they began; they lasted 22 to 25 minutes."""
    record = usage(sessions(dundee(start="2017-10-29T01:55:00", end="2017-10-29T01:20:00"))[0])
    assert (record["started_at"], record["ended_at"]) == (
        "2017-10-29T01:55:00+01:00",
        "2017-10-29T01:20:00+00:00",
    )


def test_a_stated_offset_is_kept() -> None:
    """A time with an offset is no wall-clock time."""
    record = usage(sessions(dundee(start="2018-06-06T03:01:00Z", end="2018-06-06T09:00:00+02"))[0])
    assert (record["started_at"], record["ended_at"]) == (
        "2018-06-06T03:01:00+00:00",
        "2018-06-06T09:00:00+02:00",
    )


def test_a_row_without_a_zone_takes_the_mapping_s() -> None:
    """The Dundee mapping falls back to London."""
    assert usage(sessions(dundee(tz=""))[0])["started_at"] == "2018-06-06T03:01:00+01:00"


def test_the_first_year_there_is_does_not_stop_the_import() -> None:
    """Controllers without a clock write year 1."""
    record = usage(sessions(dundee(start="0001-01-01T00:00:00", end="0001-01-01T00:00:00"))[0])
    assert record["started_at"].startswith("0001-01-01T00:00:00")
