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


def powered(energy: float, *powers: tuple[float, float], **changes: Any) -> list[str]:
    """Findings of a session of an hour without registers, with power at these minutes."""
    samples = [
        {"at": (BEGIN + timedelta(minutes=minute)).isoformat(), "power_kw": power} for minute, power in powers
    ]
    ends = {"meter_start_kwh": None, "meter_stop_kwh": None} | changes
    return record_findings.findings(a_usage_record(samples=samples, energy_kwh=energy, **ends))


STEADY = [(1, 11.0), (20, 11.0), (40, 10.5), (59, 4.0)]


@pytest.mark.parametrize(
    ("energy", "powers", "slipped"),
    [
        (10.0, STEADY, False),
        (0.010, STEADY, True),
        (9000.0, STEADY, True),
        (0.010, STEADY[:2], False),
        (0.003, [(0, 11.0), (1, 11.0), (2, 11.0)], False),
        (0.010, [(0, 11.0), (5, 0.0), (30, 0.0), (60, 0.0)], False),
        (0.004, [(0, 0.004), (30, 0.004), (60, 0.004)], False),
        (4.0, [(0, 0.004), (30, 0.004), (60, 0.004)], False),
        (11.0, [(0, 11_000.0), (30, 11_000.0), (60, 11_000.0)], False),
        (0.0, STEADY, False),
    ],
    ids=["agrees", "kWh as Wh", "Wh as kWh", "few", "short", "full", "trickle", "kW as W", "W as kW", "none"],
)
def test_power_over_time_shows_a_slip_of_units(
    energy: float, powers: list[tuple[float, float]], slipped: bool
) -> None:
    """Only over most of a session in which a car charged: then energy of a thousandth cannot be."""
    assert ("UNIT_SLIP" in powered(energy, *powers)) is slipped


def test_a_slip_by_power_is_described_by_the_energy_that_it_comes_to() -> None:
    samples = [
        {"at": (BEGIN + timedelta(minutes=minute)).isoformat(), "power_kw": power} for minute, power in STEADY
    ]
    record = a_usage_record(samples=samples, energy_kwh=0.01, meter_start_kwh=None, meter_stop_kwh=None)

    assert "recorded 0.01 kWh, while its samples show power that comes to about 9." in record_findings.describe(
        record, "UNIT_SLIP"
    )
