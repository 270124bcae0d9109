"""What a usage record's own figures reveal."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.eligibility import record_findings as meter
from tests.builders import FAULT_TIME, NOW, a_usage_record

START = FAULT_TIME - timedelta(hours=1)
LATEST = START + timedelta(days=3)
DAY_LATER = START + timedelta(hours=24)
YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)
YEAR_1970 = datetime(1970, 1, 1, tzinfo=UTC)
SLIPPED = ["UNIT_SLIP", "POWER_IMPLAUSIBLE", "BATTERY_EXCEEDED"]
NO_REGISTERS: dict[str, Any] = {"meter_start_kwh": None, "meter_stop_kwh": None}


def findings(**changes: Any) -> list[str]:
    return a_usage_record(started_at=START, **changes).findings


def test_a_sound_record_shows_nothing() -> None:
    """Eleven kilowatt hours in an hour, and registers that agree."""
    assert findings() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"energy_kwh": -0.001} | NO_REGISTERS, ["NEGATIVE_ENERGY"]),
        ({"energy_kwh": -39.62} | NO_REGISTERS, ["NEGATIVE_ENERGY"]),
        ({"energy_kwh": 0.0} | NO_REGISTERS, ["ZERO_ENERGY"]),
        ({"energy_kwh": 0.0, "ended_at": START + timedelta(minutes=59)} | NO_REGISTERS, []),
        ({"energy_kwh": -0.0} | NO_REGISTERS, ["ZERO_ENERGY"]),
        ({"energy_kwh": None}, ["ENERGY_MISSING"]),
        ({"energy_kwh": None, "ended_at": None}, ["ENERGY_MISSING", "END_MISSING"]),
        ({"energy_kwh": None, "ended_at": None, "under_way": True}, []),
        ({"energy_kwh": 400.0} | NO_REGISTERS, []),
        ({"energy_kwh": 400.1} | NO_REGISTERS, ["POWER_IMPLAUSIBLE"]),
        ({"energy_kwh": 1e300} | NO_REGISTERS, ["POWER_IMPLAUSIBLE", "BATTERY_EXCEEDED"]),
        ({"energy_kwh": 1000.0, "ended_at": DAY_LATER} | NO_REGISTERS, []),
        ({"energy_kwh": 1000.1, "ended_at": DAY_LATER} | NO_REGISTERS, ["BATTERY_EXCEEDED"]),
        ({"energy_kwh": 6.6, "ended_at": START} | NO_REGISTERS, []),
        ({"energy_kwh": 6.7, "ended_at": START} | NO_REGISTERS, ["POWER_IMPLAUSIBLE"]),
        ({"energy_kwh": -1} | NO_REGISTERS, ["ENERGY_UNKNOWN"]),
        ({"energy_kwh": -1, "meter_stop_kwh": 99.0}, ["NEGATIVE_ENERGY", "REGISTER_FELL_BACK"]),
        ({"energy_kwh": 9223372036854775807}, ["ENERGY_UNKNOWN"]),
        ({"energy_kwh": 9.223372036854775807e18}, ["ENERGY_UNKNOWN"]),
        ({"energy_kwh": 9223372036854775.807}, ["ENERGY_UNKNOWN"]),
    ],
)
def test_energy(changes: dict[str, Any], expected: list[str]) -> None:
    """Negative, none, missing, or more than any car takes."""
    assert findings(**changes, received_at=LATEST, recorded_at=LATEST) == expected


@pytest.mark.parametrize(
    ("energy", "periods", "ended_at", "expected"),
    [
        (11.0, 11.0, FAULT_TIME, []),
        (11.0, 11.15, FAULT_TIME, []),
        (11.0, 11.17, FAULT_TIME, ["PERIODS_DISAGREE"]),
        (11.0, 0.0, FAULT_TIME, ["PERIODS_DISAGREE"]),
        (11.0, 11_000.0, FAULT_TIME, ["PERIODS_DISAGREE", "UNIT_SLIP"]),
        (11.0, 0.011, FAULT_TIME, ["PERIODS_DISAGREE", "UNIT_SLIP"]),
        (-1, 11.0, FAULT_TIME, ["ENERGY_UNKNOWN"]),
        (None, 11.0, FAULT_TIME, ["ENERGY_MISSING"]),
        (11.0, 9.0, None, ["END_MISSING"]),
        (11.0, 11_000.0, None, ["END_MISSING"]),
    ],
)
def test_periods(energy: float | None, periods: float, ended_at: datetime | None, expected: list[str]) -> None:
    """What the parts of a session that is over add up to is its energy."""
    changes = {"energy_kwh": energy, "periods_kwh": periods, "ended_at": ended_at}
    assert findings(**changes, **NO_REGISTERS) == expected


def test_registers_and_periods_speak_each_for_itself() -> None:
    """Registers that agree do not hide periods in another unit."""
    assert findings(periods_kwh=11_000.0) == ["PERIODS_DISAGREE", "UNIT_SLIP"]
    assert findings(meter_stop_kwh=105.0, periods_kwh=11.0) == ["REGISTERS_DISAGREE"]


def test_a_session_that_goes_on_lacks_no_end() -> None:
    """By the word of its source; one that does not say so does."""
    assert findings(ended_at=None, under_way=True) == []
    assert findings(ended_at=None) == ["END_MISSING"]


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (100.0, 111.0, []),
        (100.0, 111.15, []),
        (100.0, 111.17, ["REGISTERS_DISAGREE"]),
        (100.0, 110.83, ["REGISTERS_DISAGREE"]),
        (100.0, 99.0, ["REGISTER_FELL_BACK", "REGISTERS_DISAGREE"]),
        (-1, 111.0, ["REGISTER_UNKNOWN"]),
        (100.0, -1, ["REGISTER_UNKNOWN"]),
        (-1, -1, ["REGISTER_UNKNOWN"]),
        (-0.5, 10.5, ["REGISTER_UNKNOWN"]),
        (100.0, 2**63 - 1, ["REGISTER_UNKNOWN"]),
        (100.0, 9.223372036854775807e18, ["REGISTER_UNKNOWN"]),
        (100.0, 9223372036854775.807, ["REGISTER_UNKNOWN"]),
        (-0.001, 111.0, ["REGISTER_UNKNOWN"]),
        (2**63 - 1, 2**63 - 1, ["REGISTER_UNKNOWN"]),
        (1e9 - 11, 1e9, ["REGISTER_UNKNOWN"]),
        (0.0, 11.0, []),
        (None, 111.0, []),
        (100.0, None, []),
        (None, None, []),
        (None, -1, ["REGISTER_UNKNOWN"]),
    ],
)
def test_registers(start: float | None, stop: float | None, expected: list[str]) -> None:
    """-1 and 2^63-1 are how stations write a register that they could not read; nothing is compared then."""
    assert findings(meter_start_kwh=start, meter_stop_kwh=stop) == expected


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (None, ["END_MISSING"]),
        (START + timedelta(minutes=2), []),
        (START - timedelta(seconds=1), ["END_BEFORE_START"]),
        (YEAR_1970, ["END_BEFORE_START", "TIME_IMPLAUSIBLE"]),
        (YEAR_1, ["END_BEFORE_START", "TIME_IMPLAUSIBLE"]),
        (START + timedelta(hours=24), []),
        (START + timedelta(hours=24, seconds=1), ["OVER_24_HOURS"]),
        (LATEST + timedelta(minutes=10), ["OVER_24_HOURS"]),
        (LATEST + timedelta(minutes=11), ["TIME_IN_FUTURE", "OVER_24_HOURS"]),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), ["TIME_IN_FUTURE", "OVER_24_HOURS"]),
    ],
)
def test_times(end: datetime | None, expected: list[str]) -> None:
    """A session without an end, with one before its start, in an impossible year, or of more than a day."""
    assert findings(ended_at=end, received_at=LATEST, recorded_at=LATEST) == expected


def test_a_start_in_the_year_1_is_implausible() -> None:
    """Ancient starts make long sessions as well."""
    assert a_usage_record(started_at=YEAR_1).findings == ["TIME_IMPLAUSIBLE", "OVER_24_HOURS"]


def test_a_record_that_states_no_time_at_all() -> None:
    """Only what is there is judged."""
    assert a_usage_record(started_at=None, ended_at=None).findings == ["END_MISSING"]


@pytest.mark.parametrize(
    ("energy", "start", "stop", "expected"),
    [
        (11_000.0, 100.0, 111.0, ["REGISTERS_DISAGREE", *SLIPPED]),
        (11_200.0, 100.0, 111.0, ["REGISTERS_DISAGREE", *SLIPPED]),
        (11_300.0, 100.0, 111.0, ["REGISTERS_DISAGREE", *SLIPPED[1:]]),
        (0.011, 100.0, 111.0, ["REGISTERS_DISAGREE", "UNIT_SLIP"]),
        (11.0, 100_000.0, 111_000.0, ["REGISTERS_DISAGREE", "UNIT_SLIP"]),
        (11_000.0, 100_000.0, 111_000.0, SLIPPED),
        (11_000.0, None, None, SLIPPED),
        (11_000.0, -1, 111.0, ["REGISTER_UNKNOWN", *SLIPPED]),
        (500_000.0, None, None, SLIPPED[1:]),
        (0.011, None, None, []),
        (11_000.0, 111.0, 100.0, ["REGISTER_FELL_BACK", "REGISTERS_DISAGREE", *SLIPPED[1:]]),
        (11_000.0, 100.0, 100.0, ["REGISTERS_DISAGREE", *SLIPPED[1:]]),
    ],
)
def test_units(energy: float, start: float | None, stop: float | None, expected: list[str]) -> None:
    """Energy and registers a factor of a thousand apart, or energy that can only be meant in Wh."""
    assert findings(energy_kwh=energy, meter_start_kwh=start, meter_stop_kwh=stop) == expected


@pytest.mark.parametrize(
    ("off", "said", "expected"),
    [
        # An end after its reception needs no further proof; a whole or half hour is a time zone.
        (timedelta(hours=1), None, ["LOCAL_TIME_AS_UTC"]),
        (timedelta(hours=2, minutes=-2), None, ["LOCAL_TIME_AS_UTC"]),
        (timedelta(hours=5, minutes=30, seconds=90), None, ["LOCAL_TIME_AS_UTC"]),
        (timedelta(hours=12, minutes=45), None, ["LOCAL_TIME_AS_UTC"]),
        (timedelta(hours=1, minutes=3), None, ["TIME_IN_FUTURE"]),
        (timedelta(minutes=30), None, ["TIME_IN_FUTURE"]),
        (timedelta(hours=15), None, ["TIME_IN_FUTURE"]),
        (timedelta(minutes=5), None, []),
        # One before it is reported by a message that was made just then.
        (timedelta(hours=-5), timedelta(seconds=-4), ["LOCAL_TIME_AS_UTC"]),
        (timedelta(hours=-3, minutes=-31), timedelta(minutes=-2), ["LOCAL_TIME_AS_UTC"]),
        (timedelta(hours=-5), timedelta(minutes=-3), []),
        (timedelta(hours=-5), None, []),
        (timedelta(hours=-5, minutes=-4), timedelta(seconds=-4), []),
        (timedelta(hours=-1, minutes=-30), timedelta(seconds=-4), []),
        (timedelta(days=-40), timedelta(days=-40), []),
    ],
)
def test_local_time_told_as_utc(off: timedelta, said: timedelta | None, expected: list[str]) -> None:
    """The end lies as far off its reception as a time zone lies from UTC, where reception was live."""
    received = NOW + timedelta(days=100)
    record = a_usage_record(
        received_at=received,
        recorded_at=received + (said or timedelta(0)),
        started_at=received + off - timedelta(hours=1),
        ended_at=received + off,
    )
    assert record.findings == expected


@pytest.mark.parametrize(
    ("finding", "changes", "words"),
    [
        (meter.NEGATIVE_ENERGY, {"energy_kwh": -39.62}, "recorded -39.62 kWh: negative energy cannot be"),
        (meter.ENERGY_MISSING, {"energy_kwh": None}, "ended without any energy on record"),
        (meter.ZERO_ENERGY, {"energy_kwh": 0.0}, "recorded 0 kWh over 1.0 hours"),
        (meter.REGISTER_UNKNOWN, {"meter_start_kwh": -1}, "a register that was not read (-1 to 111 kWh)"),
        (meter.REGISTER_FELL_BACK, {"meter_stop_kwh": 99.0}, "lower than it began: 100 to 99 kWh"),
        (meter.REGISTERS_DISAGREE, {"energy_kwh": 5.0}, "recorded 5 kWh while its registers moved 11 kWh"),
        (meter.PERIODS_DISAGREE, {"periods_kwh": 9.0}, "recorded 11 kWh while its periods add up to 9 kWh"),
        (meter.UNIT_SLIP, {"periods_kwh": 11_000.0}, "its periods add up to 11000 kWh: a thousandth of it"),
        (
            meter.RECORDED_BEFORE_END,
            {"recorded_at": FAULT_TIME - timedelta(minutes=30)},
            "was recorded at 2026-03-10 10:30 UTC, before the end that it states",
        ),
        (meter.POWER_IMPLAUSIBLE, {"energy_kwh": 900.0}, "900 kWh in 1.00 hours: more power than any car takes"),
        (meter.ENERGY_UNKNOWN, {"energy_kwh": -1}, "recorded -1 kWh, which stands for unknown"),
        (meter.BATTERY_EXCEEDED, {"energy_kwh": 1430.17}, "recorded 1430.17 kWh: more than any battery"),
        (
            meter.UNIT_SLIP,
            {"energy_kwh": 11_000.0},
            "11000 kWh while its registers moved 11 kWh: a thousand times as much",
        ),
        (meter.UNIT_SLIP, {"energy_kwh": 0.011}, "0.011 kWh while its registers moved 11 kWh: a thousandth of it"),
        (
            meter.UNIT_SLIP,
            {"energy_kwh": 9000.0} | NO_REGISTERS,
            "9000 kWh, which cannot be; 9 kWh could: Wh taken for kWh",
        ),
        (
            meter.TIME_IN_FUTURE,
            {"ended_at": NOW + timedelta(hours=1, minutes=20)},
            "in the future of its record, which came at 2026-03-10 12:00 UTC",
        ),
        (
            meter.LOCAL_TIME_AS_UTC,
            {"ended_at": NOW + timedelta(hours=2)},
            "ended 2.0 hours after its record came, as far as a time zone lies from UTC",
        ),
        (meter.END_MISSING, {"ended_at": None}, "has no end"),
        (meter.END_BEFORE_START, {"ended_at": START - timedelta(hours=1)}, "ends before it starts"),
        (meter.TIME_IMPLAUSIBLE, {"ended_at": YEAR_1970}, "carries an impossible date"),
        (meter.OVER_24_HOURS, {"ended_at": START + timedelta(hours=30)}, "lasted 30.0 hours"),
    ],
)
def test_each_finding_has_a_sentence_with_its_figures(finding: str, changes: dict[str, Any], words: str) -> None:
    """A reviewer can check it against the record."""
    record = a_usage_record(session_id="s-1", started_at=START, **changes)

    assert finding in record.findings
    sentence = meter.describe(record, finding)
    assert sentence.startswith("Session s-1 (connector 0, 2026-03-10 10:00 to ")
    assert words in sentence
    assert sentence.endswith(".")


def test_a_sentence_survives_missing_figures() -> None:
    """Times that nobody stated are called unknown."""
    record = a_usage_record(started_at=None, ended_at=None, energy_kwh=None, **NO_REGISTERS)

    assert "unknown to unknown UTC) has no end." in meter.describe(record, meter.END_MISSING)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([{"register_kwh": 105.0}, {"register_kwh": 111.0}], []),
        ([{"register_kwh": 0.111}], ["UNIT_SLIP"]),
        ([{"register_kwh": 111_000.0}, {"outside_standard": "unit: …"}], ["UNIT_SLIP"]),
        ([{"register_kwh": 111_000.0}, {"register_kwh": 111.0}], []),
        ([{"register_kwh": 12.0}], []),
        ([{"register_kwh": "many"}, {}], []),
        ([{"register_kwh": -0.111}], []),
        ([{"unreadable": "meterStop", "text": "n/a"}], ["VALUE_UNREADABLE"]),
    ],
)
def test_samples(samples: list[dict[str, Any]], expected: list[str]) -> None:
    """The last reading lies where the session stopped, or a thousandfold beside it: kWh labelled Wh."""
    record = a_usage_record(meter_start_kwh=100.0, meter_stop_kwh=111.0, energy_kwh=11.0, samples=samples)
    assert meter.findings(record) == expected


def test_a_slip_of_samples_is_described_by_both_registers() -> None:
    """So that a reviewer can see it."""
    record = a_usage_record(meter_start_kwh=100.0, meter_stop_kwh=111.0, samples=[{"register_kwh": 0.111}])
    assert "stopped at 111 kWh, and was last read at 0.111 kWh" in meter.describe(record, meter.UNIT_SLIP)
