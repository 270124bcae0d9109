"""What a claim's story says of the usage records that decided."""

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from domain.eligibility.evaluation import FAIL, PASS, RuleResult
from domain.eligibility.usage_answer import answer
from domain.field.signed_value import CheckedValue, SignedReading
from tests.builders import NOW, a_usage_record
from workers.cli.claims.records_view import records

RECORD = a_usage_record(
    session_id="s-2",
    connector_id=1,
    started_at=NOW - timedelta(hours=2),
    ended_at=NOW - timedelta(hours=1),
    energy_kwh=11.0,
    meter_start_kwh=100.0,
    meter_stop_kwh=None,
)


def test_the_record_that_decided_is_shown_with_its_figures() -> None:
    shown = list(records([on_record(answer(FAIL, "USAGE_CONSISTENT", "It is sound.", RECORD))]))

    assert shown == [
        "  by session s-2: connector 1, 2026-03-10 10:00 to 2026-03-10 11:00 UTC, 11 kWh,"
        " register 100 to unknown kWh; no findings"
    ]


def test_the_other_of_a_comparison_is_shown_beside_it() -> None:
    other = a_usage_record(
        session_id="s-1",
        connector_id=0,
        started_at=None,
        ended_at=None,
        energy_kwh=None,
        meter_start_kwh=None,
        meter_stop_kwh=None,
        findings=["END_MISSING", "ENERGY_MISSING"],
    )
    shown = list(records([on_record(answer(PASS, "REGISTER_BELOW_PREVIOUS", "It fell.", RECORD, other))]))

    assert shown[1] == (
        "  beside session s-1: no connector stated, unknown to unknown UTC, no energy stated;"
        " findings END_MISSING, ENERGY_MISSING"
    )


def test_what_was_signed_is_shown_with_what_came_of_it() -> None:
    ends = [SignedReading("1.8.0", 100.0, begin=True), SignedReading("1.8.0", 111.5, begin=False)]
    values = [CheckedValue("verified", "", (end,)) for end in ends]
    signed = replace(RECORD, checked=[*values, CheckedValue("unverified", "the format ALFEN is not known")])
    [shown] = records([on_record(answer(PASS, "SIGNED_VALUE_DISAGREES", "It differs.", signed))])

    assert "signed 11.5 kWh (verified; unverified: the format ALFEN is not known); no findings" in shown


def test_a_verdict_without_a_record_shows_none() -> None:
    assert list(records([on_record(answer(PASS, "NOT_DEMANDED", "None is needed."))])) == []


def on_record(result: RuleResult) -> dict[str, Any]:
    return asdict(result)
