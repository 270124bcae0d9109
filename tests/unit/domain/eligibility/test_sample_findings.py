"""What the readings of a register within one session show."""

from datetime import timedelta
from typing import Any

import pytest

from domain.eligibility import record_findings
from tests.builders import FAULT_TIME, a_usage_record

BEGIN = FAULT_TIME - timedelta(hours=1)


def found(*readings: tuple[float, Any], **registers: float | None) -> list[str]:
    """Findings of a session of an hour with readings at these minutes."""
    samples = [
        {"at": (BEGIN + timedelta(minutes=minute)).isoformat(), "register_kwh": kwh} for minute, kwh in readings
    ]
    ends = {"meter_start_kwh": None, "meter_stop_kwh": None} | registers
    return record_findings.findings(a_usage_record(samples=samples, **ends))


@pytest.mark.parametrize(
    "readings",
    [
        [(0, 100.0), (30, 105.0), (60, 111.0)],
        [(30, 105.0), (0, 100.0), (60, 111.0)],
        [(0, 100.0), (20, 105.0), (40, 104.99), (60, 111.0)],
        [(0, 100.0), (0.02, 99.9995), (60, 111.0)],
        [(0, 100.0), (30, "nothing"), (60, -1)],
        [(0, 100.0), (30, True), (60, 111.0)],
        [(0, 1000.0), (0, 0.0), (30, 1005.0), (30, 5.0), (60, 1011.0), (60, 11.0)],
        [(0, 1000.0), (5, 0.5), (30, 5.0), (59, 10.8), (60, 1011.0)],
        [(0, 12.0), (0, 0.0), (30, 5.5), (30, 17.5), (60, 23.0), (60, 11.0)],
        [(0, 12.0), (20, 3.0), (20, 15.0), (40, 20.0), (40, 8.0), (60, 23.0), (60, 11.0)],
    ],
    ids=[
        "rising",
        "out of order",
        "rounding",
        "a meter's noise",
        "unread",
        "no number",
        "two registers",
        "mixed",
        "new meter",
        "lone begin",
    ],
)
def test_a_register_that_only_rises_is_sound(readings: list[tuple[float, Any]]) -> None:
    """Nor is that of a lifetime beside that of the session a finding, in one sample or in turn."""
    assert found(*readings) == []


def test_the_ends_of_the_session_help_to_tell_two_registers() -> None:
    """Samples of the session alone lie below the register of a lifetime, at which it began and ended."""
    readings = [(10, 1.5), (30, 5.0), (50, 9.0)]
    assert found(*readings, meter_start_kwh=1000.0, meter_stop_kwh=1011.0) == []


@pytest.mark.parametrize(
    ("readings", "name"),
    [
        ([(0, 0.0), (5, 909.0)], "REGISTER_LEAPT"),
        ([(0, 0.0), (5, 0.1), (10, 909.0), (60, 910.0)], "REGISTER_LEAPT"),
        ([(0, 100.0), (20, 105.0), (40, 103.0), (60, 111.0)], "REGISTER_FELL_WITHIN"),
        ([(0, 0.9), (5, 1.5), (10, 0.0), (20, 3.1), (30, 4.0)], "REGISTER_FELL_WITHIN"),
        ([(0, 5.0), (0, 0.0), (30, 9.0), (30, 4.0), (60, 8.0), (60, 3.0)], "REGISTER_FELL_WITHIN"),
    ],
)
def test_what_no_register_can_do_is_a_finding(readings: list[tuple[float, Any]], name: str) -> None:
    assert found(*readings) == [name]


def test_the_sentence_gives_both_readings() -> None:
    samples = [{"at": "2026-03-10T10:05:00Z", "register_kwh": 0}, {"at": "2026-03-10T10:10Z", "register_kwh": 909}]
    record = a_usage_record(samples=samples, meter_start_kwh=None, meter_stop_kwh=None)

    sentence = record_findings.describe(record, "REGISTER_LEAPT")

    assert "0 kWh (2026-03-10 10:05 UTC) to 909 kWh (2026-03-10 10:10 UTC)" in sentence
