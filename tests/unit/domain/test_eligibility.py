"""Each rule by itself: pass, fail or insufficient, with its reason and the facts it used."""

from datetime import date, timedelta

import pytest

from domain.eligibility import Answer, spot_known, under_warranty, usage_corroborates
from domain.usage import UsageRecord
from tests.builders import FAULT_TIME, a_case, a_claim, a_policy, a_spot, a_usage_record

WINDOW = timedelta(days=30)
POLICY = a_policy(corroboration_window_days=30)
STRICT = a_policy(unknown_spot_passes=False, unknown_warranty_passes=False)


def told(answer: Answer) -> tuple[str, str]:
    return answer.result, answer.reason


def corroboration(code: str, *usage: UsageRecord, session_id: str | None = None) -> Answer:
    claim = a_claim(code=code, session_id=session_id)
    return usage_corroborates(a_case(claim, *usage), POLICY)


def a_misread(distance: timedelta = timedelta(0), **changes: object) -> UsageRecord:
    """A record with negative energy that ended so long before the fault."""
    end = FAULT_TIME - distance
    fields = {"energy_kwh": -39.62, "meter_start_kwh": None, "meter_stop_kwh": None}
    return a_usage_record(**(fields | {"started_at": end - timedelta(hours=1), "ended_at": end} | changes))


def test_a_registered_spot_is_known() -> None:
    """Whatever the policy thinks of others."""
    assert told(spot_known(a_case(a_claim(), spot=a_spot()), STRICT)) == ("pass", "SPOT_REGISTERED")


@pytest.mark.parametrize(("policy", "result"), [(POLICY, "pass"), (STRICT, "insufficient")])
def test_an_unregistered_spot_is_the_policys_choice(policy: object, result: str) -> None:
    """It may go on, or wait until somebody registers it; it never fails for that."""
    assert told(spot_known(a_case(a_claim()), policy)) == (result, "SPOT_UNREGISTERED")  # type: ignore[arg-type]


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
    answer = under_warranty(a_case(a_claim(), spot=a_spot(warranty_until=last_day)), POLICY)

    assert told(answer) == expected
    assert answer.facts == {"warranty_until": last_day.isoformat(), "occurred_on": "2026-03-10"}


@pytest.mark.parametrize(("policy", "result"), [(POLICY, "pass"), (STRICT, "insufficient")])
@pytest.mark.parametrize("spot", [None, a_spot()], ids=["no spot", "no date"])
def test_an_unknown_warranty_is_the_policys_choice(policy: object, result: str, spot: object) -> None:
    """Nobody registered the spot, or without saying until when."""
    case = a_case(a_claim(), spot=spot)  # type: ignore[arg-type]

    assert told(under_warranty(case, policy)) == (result, "WARRANTY_UNKNOWN")  # type: ignore[arg-type]


def test_equipment_needs_no_usage() -> None:
    """A ground failure leaves no trace in sessions."""
    claim = a_claim(code="GROUND_FAILURE", claim_type="equipment")

    assert told(usage_corroborates(a_case(claim), POLICY)) == ("pass", "NOT_DEMANDED")


class TestAllocation:
    """A spot was promised and could not be had."""

    def told_of(self, *usage: UsageRecord) -> tuple[str, str]:
        claim = a_claim(code="SPOT_OCCUPIED", claim_type="allocation_failure", reservation_id="r-1")
        return told(usage_corroborates(a_case(claim, *usage), POLICY))

    def test_a_session_under_the_reservation_disproves_it(self) -> None:
        """The reservation was honoured, whoever else was there."""
        other, own = a_usage_record(), a_usage_record(reservation_id="r-1")

        assert self.told_of(other, own) == ("fail", "RESERVATION_HONOURED")

    def test_somebody_elses_session_proves_it(self) -> None:
        """It was running at that very moment."""
        assert self.told_of(a_usage_record(reservation_id="r-2")) == ("pass", "ANOTHER_SESSION_RUNNING")

    def test_no_session_at_that_moment_is_no_service(self) -> None:
        """One that ended a second before served nobody then."""
        assert self.told_of() == ("pass", "NO_SESSION_SERVED")
        ended = a_usage_record(ended_at=FAULT_TIME - timedelta(seconds=1))
        assert self.told_of(ended) == ("pass", "NO_SESSION_SERVED")

    def test_a_claim_without_a_reservation_is_not_disproved_by_sessions_without_one(self) -> None:
        """Nothing is not the same reservation as nothing."""
        claim = a_claim(code="SPOT_OCCUPIED", claim_type="allocation_failure")

        answer = usage_corroborates(a_case(claim, a_usage_record()), POLICY)

        assert told(answer) == ("pass", "ANOTHER_SESSION_RUNNING")


class TestDiscrepancy:
    """What was recorded is not what happened."""

    def test_a_telling_record_bears_the_claim_out(self) -> None:
        """The answer names the session and its figures."""
        answer = corroboration("METER_MISREAD", a_misread(session_id="s-9"))

        assert told(answer) == ("pass", "NEGATIVE_ENERGY")
        assert answer.facts["session_id"] == "s-9"
        assert answer.facts["energy_kwh"] == -39.62
        assert answer.facts["findings"] == ["NEGATIVE_ENERGY"]

    def test_sound_records_around_the_fault_disprove_it(self) -> None:
        """The meter was in order."""
        answer = corroboration("METER_MISREAD", a_usage_record(), a_usage_record())

        assert told(answer) == ("fail", "USAGE_CONSISTENT")

    def test_no_record_at_all_is_insufficient(self) -> None:
        """It may still come."""
        assert told(corroboration("METER_MISREAD")) == ("insufficient", "USAGE_MISSING")

    @pytest.mark.parametrize(
        ("code", "record", "finding"),
        [
            ("METER_MISREAD", a_usage_record(meter_stop_kwh=99.0), "REGISTER_FELL_BACK"),
            ("METER_REGRESSION", a_usage_record(meter_stop_kwh=99.0), "REGISTER_FELL_BACK"),
            ("METER_UNREADABLE", a_usage_record(energy_kwh=None), "ENERGY_MISSING"),
            ("METER_UNREADABLE", a_usage_record(meter_stop_kwh=-1), "REGISTER_UNKNOWN"),
            ("ENERGY_IMPLAUSIBLE", a_usage_record(energy_kwh=900.0), "REGISTERS_DISAGREE"),
            ("UNIT_MISMATCH", a_usage_record(energy_kwh=11_000.0), "REGISTERS_DISAGREE"),
            ("DURATION_MISMATCH", a_usage_record(ended_at=None), "END_MISSING"),
            ("SESSION_OVERLAP", a_usage_record(ended_at=FAULT_TIME + timedelta(days=2)), "OVER_24_HOURS"),
            ("SESSION_MISSING", a_usage_record(ended_at=None), "END_MISSING"),
        ],
    )
    def test_each_code_has_findings_that_tell(self, code: str, record: UsageRecord, finding: str) -> None:
        """The most telling one of them is the reason."""
        assert told(corroboration(code, record)) == ("pass", finding)

    def test_findings_that_bear_on_another_code_do_not_tell(self) -> None:
        """A session without an end says nothing of the meter."""
        open_ended = a_usage_record(ended_at=None)

        assert told(corroboration("METER_MISREAD", open_ended)) == ("fail", "USAGE_CONSISTENT")

    def test_the_most_telling_finding_wins_over_the_nearest(self) -> None:
        """Negative energy cannot be; registers that disagree may have been rounded."""
        near, far = a_usage_record(energy_kwh=5.0), a_misread(timedelta(days=3))

        assert corroboration("METER_MISREAD", near, far).reason == "NEGATIVE_ENERGY"

    def test_of_equal_findings_the_nearest_in_time_wins(self) -> None:
        """Before or after the fault."""
        records = [a_misread(timedelta(hours=hours), session_id=f"s-{hours}") for hours in (9, -2, 5)]

        assert corroboration("METER_MISREAD", *records).facts["session_id"] == "s--2"

    def test_the_claims_own_session_wins_over_all(self) -> None:
        """When the fault named its session, that one is looked at first."""
        own = a_usage_record(energy_kwh=5.0, session_id="own", started_at=FAULT_TIME - timedelta(days=2))

        answer = corroboration("METER_MISREAD", a_misread(), own, session_id="own")

        assert (answer.facts["session_id"], answer.reason) == ("own", "REGISTERS_DISAGREE")

    def test_the_window_includes_its_edge(self) -> None:
        """A record just within it speaks plainly."""
        answer = corroboration("METER_MISREAD", a_misread(WINDOW))

        assert (*told(answer), "No usage record lies" in answer.sentence) == ("pass", "NEGATIVE_ENERGY", False)

    def test_a_telling_record_beyond_the_window_counts_when_nothing_is_nearer(self) -> None:
        """The sentence says that it lies further off."""
        answer = corroboration("METER_MISREAD", a_misread(WINDOW + timedelta(seconds=1)))

        assert told(answer) == ("pass", "NEGATIVE_ENERGY")
        assert "No usage record lies within 30 days of the fault" in answer.sentence

    def test_a_telling_record_beyond_the_window_does_not_outweigh_sound_ones_within(self) -> None:
        """What was recorded around the fault is the better witness."""
        answer = corroboration("METER_MISREAD", a_misread(2 * WINDOW), a_usage_record())

        assert told(answer) == ("fail", "USAGE_CONSISTENT")

    def test_sound_records_far_off_are_insufficient(self) -> None:
        """They say nothing of the time of the fault."""
        old = a_usage_record(started_at=FAULT_TIME - 3 * WINDOW, ended_at=FAULT_TIME - 2 * WINDOW)

        assert corroboration("METER_MISREAD", old).result == "insufficient"

    def test_a_record_without_any_time_is_not_near(self) -> None:
        """It cannot disprove a claim."""
        timeless = a_usage_record(started_at=None, ended_at=None)

        assert corroboration("METER_MISREAD", timeless).result == "insufficient"
