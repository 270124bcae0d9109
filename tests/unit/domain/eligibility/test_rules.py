"""Each rule by itself: pass, fail or insufficient, with its reason and the facts it used."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.eligibility.evaluation import RuleResult
from domain.eligibility.rules import (
    error_covered,
    evidence_complete,
    filed_in_time,
    responsible_party,
    spot_known,
    under_warranty,
)
from domain.field.usage import UsageRecord
from domain.policy.policy import CodePolicy, Policy
from tests.builders import FAULT_TIME, a_claim, a_policy, a_spot, a_usage_record, an_input

POLICY = a_policy(corroboration_window_days=30)
LONG_AGO = {"started_at": FAULT_TIME - timedelta(days=45), "ended_at": FAULT_TIME - timedelta(days=44)}
STRICT = a_policy(unknown_spot_passes=False, unknown_warranty_passes=False)


def verdict_of(answer: RuleResult) -> tuple[str, str]:
    return answer.result, answer.reason


def test_a_registered_spot_is_known() -> None:
    """Whatever the policy thinks of others."""
    assert verdict_of(spot_known(an_input(a_claim(), spot=a_spot()), STRICT)) == (
        "pass",
        "SPOT_REGISTERED",
    )


@pytest.mark.parametrize(("policy", "result"), [(POLICY, "pass"), (STRICT, "insufficient")])
def test_an_unregistered_spot_is_the_policys_choice(policy: object, result: str) -> None:
    """It may go on, or wait until somebody registers it; it never fails for that."""
    assert verdict_of(spot_known(an_input(a_claim()), policy)) == (result, "SPOT_UNREGISTERED")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("last_day", "expected"),
    [
        (date(2026, 3, 11), ("pass", "UNDER_WARRANTY")),
        (date(2026, 3, 10), ("pass", "UNDER_WARRANTY")),
        (date(2026, 3, 9), ("fail", "WARRANTY_EXPIRED")),
    ],
)
def test_warranty_lasts_to_the_end_of_its_last_day(last_day: date, expected: tuple[str, str]) -> None:
    """The day of the fault counts, not the day of the check; both days are among the facts."""
    answer = under_warranty(an_input(a_claim(), spot=a_spot(warranty_until=last_day)), POLICY)

    assert verdict_of(answer) == expected
    days = {"warranty_until": last_day.isoformat(), "occurred_on": "2026-03-10"}
    assert answer.facts == days | {"time_zone": "UTC"}


@pytest.mark.parametrize(("policy", "result"), [(POLICY, "pass"), (STRICT, "insufficient")])
@pytest.mark.parametrize("spot", [None, a_spot()], ids=["no spot", "no date"])
def test_an_unknown_warranty_is_the_policys_choice(policy: object, result: str, spot: object) -> None:
    """Nobody registered the spot, or without saying until when."""
    case = an_input(a_claim(), spot=spot)  # type: ignore[arg-type]

    assert verdict_of(under_warranty(case, policy)) == (result, "WARRANTY_UNKNOWN")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "hour", "occurred_on"),
    [
        ("Europe/Berlin", 22, "2026-07-01"),
        ("Europe/Berlin", 21, "2026-06-30"),
        ("America/New_York", 3, "2026-06-29"),
        ("Pacific/Auckland", 12, "2026-07-01"),
        (None, 23, "2026-06-30"),
        ("Mars/Olympus_Mons", 23, "2026-06-30"),
        ("../../etc/passwd", 23, "2026-06-30"),
    ],
)
def test_the_day_of_the_fault_is_that_of_the_site(zone: str | None, hour: int, occurred_on: str) -> None:
    """By its own time zone; by the policy's where it states none, or one that nobody knows."""
    claim = a_claim(first_seen_at=datetime(2026, 6, 30, hour, 30, tzinfo=UTC))
    spot = a_spot(time_zone=zone, warranty_until=date(2026, 6, 30))

    answer = under_warranty(an_input(claim, spot=spot), POLICY)

    assert answer.facts["occurred_on"] == occurred_on
    assert answer.result == ("fail" if occurred_on == "2026-07-01" else "pass")


def with_code(**changes: Any) -> Policy:
    """The policy with another word on METER_MISREAD."""
    return replace(POLICY, codes={**POLICY.codes, "METER_MISREAD": CodePolicy("high", **changes)})


@pytest.mark.parametrize(("covered", "expected"), [(True, ("pass", "COVERED")), (False, ("fail", "NOT_COVERED"))])
def test_an_error_is_covered_or_not_by_the_policy(covered: bool, expected: tuple[str, str]) -> None:
    """Code by code."""
    assert verdict_of(error_covered(an_input(a_claim()), with_code(covered=covered))) == expected


@pytest.mark.parametrize(
    ("responsible", "expected"),
    [
        ("station", ("pass", "RESPONSIBLE")),
        ("operator", ("pass", "RESPONSIBLE")),
        ("vehicle", ("fail", "NOT_THE_STATIONS")),
        ("user", ("fail", "NOT_THE_STATIONS")),
    ],
)
def test_only_what_is_the_stations_or_its_operators_matter_is_covered(
    responsible: Any, expected: tuple[str, str]
) -> None:
    """By the policy."""
    answer = responsible_party(an_input(a_claim()), with_code(responsible=responsible))

    assert verdict_of(answer) == expected
    assert answer.facts == {"responsible": responsible}


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ([], ("pass", "RESPONSIBLE")),
        ([("ocpp1.6", "ConnectorLockFailure")], ("pass", "RESPONSIBLE")),
        ([("mrec", "CX001")], ("fail", "STATION_NOT_INVOLVED")),
        ([("MREC", "cx010")], ("fail", "STATION_NOT_INVOLVED")),
        ([("mrec", "CX010"), ("mrec", "CX016")], ("fail", "STATION_NOT_INVOLVED")),
        ([("mrec", "CX001"), ("ocpp1.6", "ConnectorLockFailure")], ("pass", "RESPONSIBLE")),
        ([("mrec", "CX001"), ("mrec", "CX025")], ("pass", "RESPONSIBLE")),
        ([("mrec", "CX020")], ("pass", "RESPONSIBLE")),
        ([("mrec", "CX999")], ("pass", "RESPONSIBLE")),
    ],
)
def test_a_taxonomy_that_names_who_is_responsible_is_heard(
    reported: list[tuple[str, str]], expected: tuple[str, str]
) -> None:
    """The station is left out only if every report leaves it out."""
    case = replace(an_input(a_claim()), reported=frozenset(reported))

    assert verdict_of(responsible_party(case, POLICY)) == expected


def test_who_is_responsible_instead_is_said() -> None:
    """With the codes as they were reported."""
    case = replace(an_input(a_claim()), reported=frozenset({("mrec", "CX016"), ("mrec", "CX001")}))

    answer = responsible_party(case, POLICY)

    assert answer.sentence == "What was reported, mrec CX001, mrec CX016, is a matter of the user or the vehicle."
    assert answer.facts["parties"] == ["user", "vehicle"]


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (timedelta(days=-1), ("pass", "FILED_IN_TIME")),
        (timedelta(days=10), ("pass", "FILED_IN_TIME")),
        (timedelta(days=10, seconds=1), ("fail", "FILED_TOO_LATE")),
    ],
)
def test_a_claim_is_filed_within_days_of_the_fault(late: timedelta, expected: tuple[str, str]) -> None:
    """To the second; what counts is when the fault was first seen."""
    claim = a_claim(first_seen_at=FAULT_TIME, last_seen_at=FAULT_TIME + late, opened_at=FAULT_TIME + late)

    answer = filed_in_time(an_input(claim), with_code(filing_days=10))

    assert verdict_of(answer) == expected
    assert answer.facts["filing_days"] == 10
    assert answer.facts["occurred_at"] == "2026-03-10T11:00:00.000000Z"


@pytest.mark.parametrize(
    ("demanded", "on_file", "expected"),
    [
        ((), set(), ("pass", "NOT_DEMANDED")),
        (("photo",), set(), ("insufficient", "EVIDENCE_MISSING")),
        (("photo", "meter_reading"), {"photo", "note"}, ("insufficient", "EVIDENCE_MISSING")),
        (("photo", "meter_reading"), {"photo", "meter_reading", "note"}, ("pass", "EVIDENCE_ON_FILE")),
    ],
)
def test_evidence_is_complete_when_all_that_is_demanded_is_on_file(
    demanded: tuple[str, ...], on_file: set[str], expected: tuple[str, str]
) -> None:
    """What is missing may still come, so nothing fails by it."""
    case = replace(an_input(a_claim()), evidence=frozenset(on_file))

    answer = evidence_complete(case, with_code(evidence=demanded))

    assert verdict_of(answer) == expected
    assert answer.facts.get("missing", []) == [kind for kind in demanded if kind not in on_file]


@pytest.mark.parametrize(
    ("on_file", "usage", "sentence"),
    [
        ({}, [], "Not on file yet: meter reading or usage record, photo."),
        ({"photo"}, [], "Not on file yet: meter reading or usage record."),
        ({"photo", "meter_reading"}, [], "On file: meter reading, photo."),
        ({"photo"}, [a_usage_record()], "On file: usage record, photo."),
        ({"photo"}, [a_usage_record(session_id="named", **LONG_AGO)], "On file: usage record, photo."),
        ({"photo"}, [a_usage_record(**LONG_AGO)], "Not on file yet: meter reading or usage record."),
        ({"meter_reading"}, [a_usage_record()], "Not on file yet: photo."),
    ],
)
def test_of_alternatives_any_is_enough(on_file: set[str], usage: list[UsageRecord], sentence: str) -> None:
    """A usage record counts that the claim names, or that is near enough to bear on it; nobody files it."""
    case = replace(an_input(a_claim(session_id="named"), *usage), evidence=frozenset(on_file))

    answer = evidence_complete(case, with_code(evidence=(("meter_reading", "usage_record"), "photo")))

    assert answer.sentence == sentence
    assert answer.facts["demanded"] == ["meter_reading or usage_record", "photo"]
    assert (answer.result == "pass") == (answer.facts["missing"] == [])


def test_missing_evidence_is_named() -> None:
    """In plain words."""
    answer = evidence_complete(an_input(a_claim()), with_code(evidence=("meter_reading", "photo")))

    assert answer.sentence == "Not on file yet: meter reading, photo."
