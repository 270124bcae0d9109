"""Two final records of one session that state different energy contradict each other."""

from datetime import timedelta
from typing import Any

import pytest

from domain.eligibility.contradiction import mark_contradicted
from domain.eligibility.question import is_sound
from domain.eligibility.record_findings import FINAL_RECORDS_DISAGREE, describe
from domain.field.usage import UsageRecord
from tests.builders import NOW, a_usage_record

BEGAN = NOW - timedelta(hours=30)


def a_record(energy: float | None, **changes: Any) -> UsageRecord:
    fields = {"session_id": "s", "connector_id": 1, "started_at": BEGAN, "ended_at": BEGAN + timedelta(hours=1)}
    return a_usage_record(**(fields | {"energy_kwh": energy, "findings": []} | changes))


def contradicted(record: UsageRecord, *superseded: UsageRecord) -> float | None:
    mark_contradicted(record, superseded)
    assert (record.contradicted_kwh is None) == (FINAL_RECORDS_DISAGREE not in record.findings)
    return record.contradicted_kwh


def test_both_figures_are_named_and_the_record_is_no_witness() -> None:
    record = a_record(38.0)

    assert contradicted(record, a_record(8.0)) == 8.0
    assert not is_sound(record)
    said = describe(record, FINAL_RECORDS_DISAGREE)
    assert said.endswith("ended with 8 and 38 kWh by its final records, which contradict each other.")


def test_of_several_the_one_that_differs_most_is_named() -> None:
    assert contradicted(a_record(38.0), a_record(30.0), a_record(8.0), a_record(39.0)) == 8.0


@pytest.mark.parametrize(
    "other",
    [
        a_record(38.01),
        a_record(None),
        a_record(8.0, ended_at=None, under_way=True),
        a_record(8.0, ended_at=None),
        a_record(8.0, session_id="another"),
        a_record(8.0, spot_id="another"),
        a_record(8.0, started_at=BEGAN - timedelta(days=300), ended_at=None),
        a_record(8.0, started_at=BEGAN - timedelta(days=300), ended_at=BEGAN - timedelta(days=300)),
    ],
    ids=["rounding", "no energy", "under way", "no end", "session", "spot", "last year", "last year, ended"],
)
def test_what_is_no_contradiction(other: UsageRecord) -> None:
    assert contradicted(a_record(38.0), other) is None


def test_what_was_taken_back_contradicts_nothing() -> None:
    """That is a correction; what else differs still does."""
    credit = a_record(20.0, takes_back=True)

    assert contradicted(a_record(12.0), a_record(20.0), credit) is None
    assert contradicted(a_record(12.0), a_record(20.0), credit, a_record(15.0)) == 15.0


@pytest.mark.parametrize("changes", [{"energy_kwh": None}, {"ended_at": None}, {"under_way": True}])
def test_a_record_that_is_not_final_is_contradicted_by_none(changes: dict[str, Any]) -> None:
    assert contradicted(a_record(38.0, **changes), a_record(8.0)) is None
