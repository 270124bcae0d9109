"""Business time: exact, additive, and right on the days when clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.policy.calendar import ALWAYS, Calendar, Span, knows_zone

OFFICE: tuple[Span, ...] = ((time(8), time(18)),)
BUSINESS = Calendar("business", (OFFICE,) * 5 + ((), ()), frozenset({date(2026, 12, 25)}))
LUNCH = Calendar("lunch", (((time(8), time(12)), (time(13), time(17, 30))),) * 7)
ALL_DAY = Calendar("all day", (((time.min, time.min),),) * 7)
NIGHTS = Calendar("nights", (((time.min, time(2, 30)), (time(22, 15), time.min)),) * 7)
CALENDARS = (ALWAYS, BUSINESS, LUNCH, ALL_DAY, NIGHTS)

# Offsets of half and quarter hours, jumps of half an hour and two, jumps at midnight, a day that never was.
ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"),
    *("Antarctica/Troll", "America/Sao_Paulo", "America/Havana", "Africa/Casablanca", "Pacific/Apia"),
)
BERLIN = "Europe/Berlin"

# Whoever asks of a year first fills its table.
unhurried = settings(deadline=None)
calendars = st.sampled_from(CALENDARS)
zones = st.sampled_from(ZONES)


def within(year: int) -> st.SearchStrategy[datetime]:
    """Any moment from the middle of a year to the middle of the next."""
    return st.datetimes(datetime(year, 7, 1), datetime(year + 1, 7, 1), timezones=st.just(UTC))


# Apia loses a day, São Paulo and Casablanca change their rules, and zones go on by rule beyond their tables. The
# table of a zone's year takes milliseconds, so few years are looked at.
years = st.sampled_from([2011, 2018, 2037])
moments = years.flatmap(within)
durations = st.timedeltas(timedelta(0), timedelta(days=400))


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type, misc]


@unhurried
@given(calendars, zones, years.flatmap(lambda year: st.tuples(*[within(year)] * 3)))
def test_business_time_is_additive(calendar: Calendar, zone: str, moments: tuple[datetime, ...]) -> None:
    """In whatever order the moments come, to the microsecond."""
    a, b, c = moments
    whole = calendar.between(a, c, zone)

    assert calendar.between(a, b, zone) + calendar.between(b, c, zone) == whole
    assert calendar.between(c, a, zone) == -whole


@unhurried
@given(calendars, zones, moments, durations)
def test_what_was_added_is_between(calendar: Calendar, zone: str, begin: datetime, duration: timedelta) -> None:
    """And the moment is the first of which that is true."""
    end = calendar.after(begin, duration, zone)

    assert calendar.between(begin, end, zone) == duration
    if duration:
        assert calendar.between(begin, end - timedelta(microseconds=1), zone) < duration


@unhurried
@given(calendars, zones, moments, durations, durations)
def test_more_time_is_later(
    calendar: Calendar, zone: str, begin: datetime, one: timedelta, two: timedelta
) -> None:
    """Adding is monotone, and adding twice is adding both."""
    less, more = sorted((one, two))

    assert calendar.after(begin, less, zone) <= calendar.after(begin, more, zone)
    assert calendar.after(calendar.after(begin, one, zone), two, zone) == calendar.after(begin, one + two, zone)


@unhurried
@given(calendars, zones, moments, durations)
def test_no_more_time_is_open_than_passes(
    calendar: Calendar, zone: str, begin: datetime, duration: timedelta
) -> None:
    """Nor less than none."""
    assert timedelta(0) <= calendar.between(begin, begin + duration, zone) <= duration


@unhurried
@given(zones, moments, durations)
def test_around_the_clock_is_real_time(zone: str, begin: datetime, duration: timedelta) -> None:
    """Whether the calendar has no hours, or all of them."""
    assert ALWAYS.after(begin, duration, zone) == begin + duration
    assert ALL_DAY.between(begin, begin + duration, zone) == duration


QUARTER = timedelta(minutes=15)


def is_open(calendar: Calendar, zone: str, moment: datetime) -> bool:
    """By what the clock on the wall shows."""
    shown = moment.astimezone(ZoneInfo(zone))
    spans = () if shown.date() in calendar.holidays else calendar.week[shown.weekday()]
    return any(begin <= shown.time() and (shown.time() < end or end == time.min) for begin, end in spans)


@pytest.mark.parametrize("zone", [*ZONES, "America/Caracas", "Europe/Dublin", "America/Asuncion"])
@pytest.mark.parametrize(("calendar", "year"), [(BUSINESS, 2026), (LUNCH, 2011)], ids=["2026", "2011"])
def test_it_is_open_when_the_wall_clock_says_so(calendar: Calendar, zone: str, year: int) -> None:
    """A whole year, counted quarter by quarter, with every change of the clocks in it."""
    first = datetime(year, 1, 1, tzinfo=UTC)
    quarters = [first + QUARTER * number for number in range(366 * 96)]

    counted = sum(is_open(calendar, zone, moment) for moment in quarters)

    assert calendar.between(first, quarters[-1] + QUARTER, zone) == QUARTER * counted


@pytest.mark.parametrize(
    ("day", "hours"),
    [((2026, 3, 28), 24), ((2026, 3, 29), 23), ((2026, 10, 25), 25)],
    ids=["any", "spring", "autumn"],
)
def test_days_of_change_have_their_hours(day: tuple[int, int, int], hours: int) -> None:
    """Open around midnight, a day in spring lacks an hour, and one in autumn has one more."""
    begin = local(BERLIN, *day)
    end = datetime.combine(date(*day) + timedelta(days=1), time.min, ZoneInfo(BERLIN))

    assert ALL_DAY.between(begin, end, BERLIN) == timedelta(hours=hours)


def test_nothing_passes_while_it_is_closed() -> None:
    """Nights, weekends and holidays."""
    for begin, end in [
        (local(BERLIN, 2026, 3, 10, 18), local(BERLIN, 2026, 3, 11, 8)),
        (local(BERLIN, 2026, 3, 13, 18), local(BERLIN, 2026, 3, 16, 8)),
        (local(BERLIN, 2026, 12, 24, 18), local(BERLIN, 2026, 12, 28, 8)),
    ]:
        assert BUSINESS.between(begin, end, BERLIN) == timedelta(0)
        assert BUSINESS.after(begin, QUARTER, BERLIN) == end + QUARTER


def test_an_amount_is_reached_when_the_door_closes() -> None:
    """And not only when it opens again."""
    monday = local(BERLIN, 2026, 3, 9, 8)

    assert BUSINESS.after(monday, timedelta(hours=10), BERLIN) == local(BERLIN, 2026, 3, 9, 18)
    assert BUSINESS.after(monday, timedelta(hours=50), BERLIN) == local(BERLIN, 2026, 3, 13, 18)


def test_hours_run_in_the_zone_of_the_site() -> None:
    """Eight in Kathmandu is a quarter past two in UTC."""
    assert BUSINESS.after(local("UTC", 2026, 3, 10), timedelta(hours=1), "Asia/Kathmandu") == local(
        "UTC", 2026, 3, 10, 3, 15
    )


def test_hours_may_span_midnight() -> None:
    """What ends at midnight and what begins there is one night."""
    night = NIGHTS.between(local(BERLIN, 2026, 3, 10, 12), local(BERLIN, 2026, 3, 11, 12), BERLIN)

    assert night == timedelta(hours=4, minutes=15)


def test_hours_that_the_clocks_jump_over_begin_when_they_have_jumped() -> None:
    """On the spring day two o'clock is three, so from half past two to four there is one hour."""
    early = Calendar("early", (((time(2, 30), time(4)),),) * 7)
    midnight, noon = local(BERLIN, 2026, 3, 29), local(BERLIN, 2026, 3, 29, 12)

    assert early.between(midnight, noon, BERLIN) == timedelta(hours=1)
    assert early.after(midnight, QUARTER, BERLIN) == local(BERLIN, 2026, 3, 29, 3, 15)


def test_hours_within_a_jump_are_none() -> None:
    """From a quarter past two until a quarter to three there is nothing, on that day."""
    brief = Calendar("brief", (((time(2, 15), time(2, 45)),),) * 7)

    assert brief.between(local(BERLIN, 2026, 3, 29), local(BERLIN, 2026, 3, 30), BERLIN) == timedelta(0)
    assert brief.between(local(BERLIN, 2026, 3, 28), local(BERLIN, 2026, 3, 30), BERLIN) == 2 * QUARTER


def test_a_day_that_never_was_has_no_hours() -> None:
    """Apia went from the 29th to the 31st of December 2011."""
    begin, end = local("Pacific/Apia", 2011, 12, 29), local("Pacific/Apia", 2012, 1, 1)

    assert ALL_DAY.between(begin, end, "Pacific/Apia") == timedelta(hours=48)
    assert LUNCH.between(begin, end, "Pacific/Apia") == timedelta(hours=17)


def test_years_ahead_are_quick() -> None:
    """Ten years of business hours, in another zone each time so that nothing is known already."""
    began = process_time()
    for zone in ("Europe/Madrid", "Asia/Tokyo", "America/Chicago"):
        assert BUSINESS.after(local("UTC", 2026, 1, 1), timedelta(hours=26_000), zone).year == 2035

    assert process_time() - began < 3


def test_a_calendar_that_never_opens_is_given_up() -> None:
    """Rather than looked through for ever."""
    closed = Calendar("closed", ((),) * 7)

    with pytest.raises(OverflowError, match="closed"):
        closed.after(local("UTC", 2026, 1, 1), QUARTER, "UTC")


def test_nobody_looks_back() -> None:
    """A negative target is a mistake."""
    with pytest.raises(ValueError, match="back"):
        BUSINESS.after(local("UTC", 2026, 1, 1), -QUARTER, "UTC")


def test_a_week_has_its_hours() -> None:
    """As the policy is checked by them."""
    assert [calendar.weekly / timedelta(hours=1) for calendar in CALENDARS] == [168, 50, 59.5, 168, 29.75]


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "Etc/GMT+5"])
def test_known_zones(name: str) -> None:
    """By their IANA names."""
    assert knows_zone(name)


@pytest.mark.parametrize("name", [None, "", "Europe", "Mars/Base", "../etc/passwd", "a\0b", "x" * 5000, "É", "/"])
def test_what_is_no_zone_is_unknown(name: str | None) -> None:
    """Whatever a registration says, nothing breaks."""
    assert not knows_zone(name)


def test_the_first_of_an_hour_that_comes_twice_counts() -> None:
    """In autumn half past two comes twice: what closes then closes at the first."""
    early = Calendar("early", (((time(1), time(2, 30)),),) * 7)
    hours = [early.between(local(BERLIN, 2026, 10, d), local(BERLIN, 2026, 10, d + 1), BERLIN) for d in (24, 25)]

    assert [later - earlier for earlier, later in pairwise(hours)] == [timedelta(0)]
