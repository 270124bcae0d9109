"""Moments and spans of simulated time, as people write them and as messages tell them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import SetupError
from ingest.simulator.moments import DAY, HOUR, MINUTE, SECOND, milliseconds, moment, rfc3339, span


@given(st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_moment_is_formatted_to_the_millisecond(stated: datetime) -> None:
    """The text is the moment, less its microseconds."""
    text = rfc3339(milliseconds(stated))
    assert datetime.fromisoformat(text) == stated.replace(microsecond=stated.microsecond // 1000 * 1000)
    assert len(text) == len("2026-03-02T00:00:00.000Z")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", 90 * SECOND),
        ("1h30m", 90 * MINUTE),
        ("2d", 2 * DAY),
        ("1.5h", 90 * MINUTE),
        ("1w", 7 * DAY),
        ("0s", 0),
    ],
)
def test_a_span_as_people_write_it(text: str, length: int) -> None:
    """Numbers with units, one after the other."""
    assert span(text, "--duration") == length


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 m", "5min", "1h,5m", "9" * 30 + "s", "1e9s", "٣m٣"])
def test_what_is_no_span_is_refused(text: str) -> None:
    """In words that say where it stands and what would be right."""
    with pytest.raises(SetupError, match=r"^--duration: .* is no span of time; write it like 90s, 5m"):
        span(text, "--duration")


def test_a_span_has_an_end() -> None:
    """Nothing runs for more than a century."""
    with pytest.raises(SetupError, match="longer than a century"):
        span("40000d", "--duration")


def test_a_start_without_an_offset_is_utc() -> None:
    """So that a stream does not depend on the machine's own zone."""
    assert moment("2026-03-02", "--start") == datetime(2026, 3, 2, tzinfo=UTC)
    local = datetime(2026, 3, 2, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert milliseconds(moment("2026-03-02T00:00:00+05:30", "--start")) == milliseconds(local)
    assert milliseconds(datetime(1970, 1, 1, 1, tzinfo=UTC)) == HOUR


@pytest.mark.parametrize("text", ["", "yesterday", "0001-01-01", "9999-12-31T23:59:59-12:00"])
def test_what_is_no_start_is_refused(text: str) -> None:
    """And so is one that no fleet has seen."""
    with pytest.raises(SetupError, match=r"^--start: .* is no moment from 1990 to 2200"):
        moment(text, "--start")
