"""Cells are read as their mapping says, and by their own unit or type where they have one."""

from datetime import date, datetime
from typing import Any

import pytest

from ingest.tables import cells
from ingest.tables.mapping import TableMapping


def read(field: str, cell: Any, **mapping: Any) -> Any:
    by = TableMapping(name="t", record="spots", columns={"spot": "spot_id"}, **mapping)
    return cells.readers(by)[field](cell)


@pytest.mark.parametrize(
    ("cell", "mapping", "kwh"),
    [
        ("12.5", {}, 12.5),
        ("-12,5", {"decimal": ","}, -12.5),
        ("1500", {"energy_unit": "Wh"}, 1.5),
        ("12.5 kWh", {}, 12.5),
        ("12.5kwh", {"energy_unit": "Wh"}, 12.5),
        ("12500 Wh", {}, 12.5),
        ("0,5 MWh", {"decimal": ","}, 500),
        ("1.234.567,8", {"decimal": ",", "thousands": "."}, 1234567.8),
        ("1'234.5 kWh", {"thousands": "'"}, 1234.5),
        ("-1\u202f234", {"thousands": " "}, -1234),
        ("1234", {"thousands": "'"}, 1234),
        (12500, {"energy_unit": "Wh", "decimal": ","}, 12.5),
        (17.483, {"decimal": ","}, 17.483),
    ],
)
def test_energies(cell: Any, mapping: dict[str, str], kwh: float) -> None:
    """In kWh, whatever the unit, the signs, or the type of a sheet's cell."""
    assert read("energy_kwh", cell, **mapping) == kwh


@pytest.mark.parametrize(
    ("cell", "mapping"),
    [
        ("n/a", {}),
        ("1_000", {}),
        ("inf", {}),
        (float("nan"), {}),
        (True, {}),
        (date(2026, 1, 1), {}),
        ("12.5 kW", {}),
        ("kWh", {}),
        ("12.5 pWh", {}),
        ("1,5", {}),
        ("1.5", {"decimal": ",", "thousands": "."}),
        ("1.23.456", {"decimal": ",", "thousands": "."}),
        ("1234.567,8", {"decimal": ",", "thousands": "."}),
    ],
)
def test_what_is_no_energy(cell: Any, mapping: dict[str, str]) -> None:
    """Groups of other than three digits are no thousands, and power is no energy."""
    with pytest.raises(ValueError, match=r"is no number|is not in kWh"):
        read("energy_kwh", cell, **mapping)


@pytest.mark.parametrize(
    ("cell", "mapping", "kw"), [("22", {}, 22), ("7400", {"power_unit": "W"}, 7.4), ("22 kW", {}, 22)]
)
def test_powers(cell: str, mapping: dict[str, str], kw: float) -> None:
    """In kW."""
    assert read("max_power_kw", cell, **mapping) == kw


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("06.07.2024 14:30", datetime(2024, 7, 6, 14, 30)),
        (datetime(2024, 7, 6, 14, 30), datetime(2024, 7, 6, 14, 30)),
        (date(2024, 7, 6), datetime(2024, 7, 6)),
    ],
)
def test_times(cell: Any, moment: datetime) -> None:
    """Text by the mapping's form; a sheet's dates are dates already."""
    assert read("started_at", cell, date_format="%d.%m.%Y %H:%M") == moment


@pytest.mark.parametrize("cell", [731, 731.0, "731"])
def test_ids_that_a_spreadsheet_took_for_numbers(cell: Any) -> None:
    """They read as if they had been text."""
    assert cells.words(cell) == "731"
