"""Whether what a spot recorded bears a claim out, with the reason and the facts used."""

from datetime import timedelta

import pytest

from domain.eligibility.evaluation import RuleResult
from domain.eligibility.usage_rule import usage_corroborates
from domain.field.usage import UsageRecord
from tests.builders import FAULT_TIME, a_claim, a_policy, a_spot, a_usage_record, an_input

WINDOW = timedelta(days=30)
POLICY = a_policy(corroboration_window_days=30)


def verdict_of(answer: RuleResult) -> tuple[str, str]:
    return answer.result, answer.reason


def corroboration(code: str, *usage: UsageRecord, session_id: str | None = None) -> RuleResult:
    claim = a_claim(code=code, session_id=session_id)
    return usage_corroborates(an_input(claim, *usage), POLICY)


def a_misread(distance: timedelta = timedelta(0), **changes: object) -> UsageRecord:
    """A record with negative energy that ended so long before the fault."""
    end = FAULT_TIME - distance
    fields = {"energy_kwh": -39.62, "meter_start_kwh": None, "meter_stop_kwh": None}
    return a_usage_record(**(fields | {"started_at": end - timedelta(hours=1), "ended_at": end} | changes))


def test_equipment_needs_no_usage() -> None:
    """A ground failure leaves no trace in sessions."""
    claim = a_claim(code="GROUND_FAILURE", claim_type="equipment")

    assert verdict_of(usage_corroborates(an_input(claim), POLICY)) == ("pass", "NOT_DEMANDED")


class TestAllocation:
    """A spot was promised and could not be had."""

    def told_of(self, *usage: UsageRecord) -> tuple[str, str]:
        claim = a_claim(code="SPOT_OCCUPIED", claim_type="allocation_failure", reservation_id="r-1")
        return verdict_of(usage_corroborates(an_input(claim, *usage), POLICY))

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

        answer = usage_corroborates(an_input(claim, a_usage_record()), POLICY)

        assert verdict_of(answer) == ("pass", "ANOTHER_SESSION_RUNNING")

    def test_a_reserved_session_without_energy_did_not_honour_it(self) -> None:
        """The spot let them in and gave nothing."""
        nothing = {"energy_kwh": 0.0, "meter_start_kwh": None, "meter_stop_kwh": None}

        assert self.told_of(a_usage_record(reservation_id="r-1", **nothing)) == (
            "pass",
            "RESERVATION_WITHOUT_ENERGY",
        )

    def test_a_lock_can_fail_in_a_reserved_session(self) -> None:
        """That it was had does not say that it could be left."""
        claim = a_claim(code="CONNECTOR_LOCK_FAILURE", claim_type="allocation_failure", reservation_id="r-1")

        answer = usage_corroborates(an_input(claim, a_usage_record(reservation_id="r-1")), POLICY)

        assert verdict_of(answer) == ("pass", "ANOTHER_SESSION_RUNNING")

    def test_a_double_allocation_shows_as_two_sessions_at_once(self) -> None:
        """Both are among the facts."""
        claim = a_claim(code="DOUBLE_ALLOCATION", claim_type="allocation_failure")
        half_past = FAULT_TIME - timedelta(minutes=30)
        sessions = [a_usage_record(session_id="a"), a_usage_record(session_id="b", started_at=half_past)]

        answer = usage_corroborates(an_input(claim, *sessions), POLICY)

        assert verdict_of(answer) == ("pass", "SESSIONS_OVERLAP")
        assert (answer.facts["session_id"], answer.facts["other"]["session_id"]) == ("b", "a")


class TestMissingSession:
    """A session that should be on record and is not."""

    def told_of(self, *usage: UsageRecord, **claim: object) -> tuple[str, str]:
        return verdict_of(usage_corroborates(an_input(a_claim(code="SESSION_MISSING", **claim), *usage), POLICY))

    def later(self, **changes: object) -> UsageRecord:
        begin = FAULT_TIME + timedelta(minutes=10)
        return a_usage_record(**({"started_at": begin, "ended_at": begin + timedelta(minutes=40)} | changes))

    @pytest.mark.parametrize("named", [{"session_id": "s-7"}, {"reservation_id": "r-7"}, {}])
    def test_one_that_is_on_record_is_not_missing(self, named: dict[str, str]) -> None:
        """By its name, its reservation, or the time of the fault."""
        assert self.told_of(a_usage_record(**named), self.later(), **named) == ("fail", "SESSION_RECORDED")

    @pytest.mark.parametrize("named", [{"session_id": "s-7"}, {"reservation_id": "r-7"}])
    def test_others_since_prove_that_it_was_lost(self, named: dict[str, str]) -> None:
        """The spot reports, and not this one."""
        assert self.told_of(a_usage_record(), self.later(), **named) == ("pass", "SESSION_NOT_RECORDED")

    @pytest.mark.parametrize("usage", [[], [a_usage_record()]])
    def test_a_spot_that_has_not_spoken_since_may_still_tell(self, usage: list[UsageRecord]) -> None:
        """Records come when sessions end, and later."""
        assert self.told_of(*usage, session_id="s-7") == ("insufficient", "USAGE_MISSING")

    def test_one_without_its_end_is_half_missing(self) -> None:
        """Only its start was recorded."""
        half = a_usage_record(session_id="s-7", ended_at=None)

        assert self.told_of(half, self.later(), session_id="s-7") == ("pass", "END_MISSING")


class TestDiscrepancy:
    """What was recorded is not what happened."""

    def test_a_telling_record_bears_the_claim_out(self) -> None:
        """The answer names the session and its figures."""
        answer = corroboration("METER_MISREAD", a_misread(session_id="s-9"))

        assert verdict_of(answer) == ("pass", "NEGATIVE_ENERGY")
        assert answer.facts["session_id"] == "s-9"
        assert answer.facts["energy_kwh"] == -39.62
        assert answer.facts["findings"] == ["NEGATIVE_ENERGY"]

    def test_sound_records_around_the_fault_disprove_it(self) -> None:
        """The meter was in order."""
        answer = corroboration("METER_MISREAD", a_usage_record(), a_usage_record(connector_id=1))

        assert verdict_of(answer) == ("fail", "USAGE_CONSISTENT")

    def test_no_record_at_all_is_insufficient(self) -> None:
        """It may still come."""
        assert verdict_of(corroboration("METER_MISREAD")) == ("insufficient", "USAGE_MISSING")

    @pytest.mark.parametrize(
        ("code", "record", "finding"),
        [
            ("METER_MISREAD", a_usage_record(meter_stop_kwh=99.0), "REGISTER_FELL_BACK"),
            ("METER_REGRESSION", a_usage_record(meter_stop_kwh=99.0), "REGISTER_FELL_BACK"),
            ("METER_UNREADABLE", a_usage_record(energy_kwh=None), "ENERGY_MISSING"),
            ("METER_UNREADABLE", a_usage_record(meter_stop_kwh=-1), "REGISTER_UNKNOWN"),
            ("ENERGY_IMPLAUSIBLE", a_usage_record(energy_kwh=900.0), "POWER_IMPLAUSIBLE"),
            ("UNIT_MISMATCH", a_usage_record(energy_kwh=11_000.0), "UNIT_SLIP"),
            ("UNIT_MISMATCH", a_usage_record(periods_kwh=11_000.0), "UNIT_SLIP"),
            ("METER_MISREAD", a_usage_record(periods_kwh=9.0), "PERIODS_DISAGREE"),
            ("METER_UNREADABLE", a_usage_record(periods_kwh=9.0), "PERIODS_DISAGREE"),
            ("ENERGY_IMPLAUSIBLE", a_usage_record(periods_kwh=9.0), "PERIODS_DISAGREE"),
            (
                "DURATION_MISMATCH",
                a_usage_record(recorded_at=FAULT_TIME - timedelta(hours=1)),
                "RECORDED_BEFORE_END",
            ),
            ("DURATION_MISMATCH", a_usage_record(ended_at=None), "END_MISSING"),
            ("SESSION_OVERLAP", a_usage_record(started_at=FAULT_TIME - timedelta(days=2)), "OVER_24_HOURS"),
            ("SESSION_MISSING", a_usage_record(ended_at=None), "END_MISSING"),
        ],
    )
    def test_each_code_has_findings_that_tell(self, code: str, record: UsageRecord, finding: str) -> None:
        """The most telling one of them is the reason."""
        assert verdict_of(corroboration(code, record)) == ("pass", finding)

    def test_findings_that_bear_on_another_code_do_not_tell(self) -> None:
        """A session of more than a day says nothing of the meter."""
        slow = a_usage_record(started_at=FAULT_TIME - timedelta(hours=25))

        assert verdict_of(corroboration("METER_MISREAD", slow)) == ("fail", "USAGE_CONSISTENT")

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

        assert (*verdict_of(answer), "No usage record lies" in answer.sentence) == (
            "pass",
            "NEGATIVE_ENERGY",
            False,
        )

    def test_a_telling_record_beyond_the_window_counts_when_nothing_is_nearer(self) -> None:
        """The sentence says that it lies further off."""
        answer = corroboration("METER_MISREAD", a_misread(WINDOW + timedelta(seconds=1)))

        assert verdict_of(answer) == ("pass", "NEGATIVE_ENERGY")
        assert "No usage record lies within 30 days of the fault" in answer.sentence

    def test_a_telling_record_beyond_the_window_does_not_outweigh_sound_ones_within(self) -> None:
        """What was recorded around the fault is the better witness."""
        answer = corroboration("METER_MISREAD", a_misread(2 * WINDOW), a_usage_record())

        assert verdict_of(answer) == ("fail", "USAGE_CONSISTENT")

    def test_sound_records_far_off_are_insufficient(self) -> None:
        """They say nothing of the time of the fault."""
        old = a_usage_record(started_at=FAULT_TIME - 3 * WINDOW, ended_at=FAULT_TIME - 2 * WINDOW)

        assert corroboration("METER_MISREAD", old).result == "insufficient"

    def test_a_record_without_any_time_is_not_near(self) -> None:
        """It cannot disprove a claim."""
        timeless = a_usage_record(started_at=None, ended_at=None)

        assert corroboration("METER_MISREAD", timeless).result == "insufficient"

    def test_an_earlier_session_does_not_disprove_it(self) -> None:
        """The record of the session in which the fault occurred may still come."""
        before = a_usage_record(ended_at=FAULT_TIME - timedelta(seconds=1))

        assert verdict_of(corroboration("METER_MISREAD", before)) == ("insufficient", "USAGE_MISSING")

    def test_a_session_of_another_connector_does_not_disprove_it(self) -> None:
        """It has a meter of its own; one of the whole spot does speak."""
        claim = a_claim(connector_id=1)

        def told_of(connector: int) -> str:
            usage = a_usage_record(connector_id=connector)
            return usage_corroborates(an_input(claim, usage), POLICY).result

        assert [told_of(connector) for connector in (0, 1, 2)] == ["fail", "fail", "insufficient"]

    def test_only_its_own_session_disproves_a_claim_that_names_one(self) -> None:
        """Others were sound, which says nothing of this one."""
        answers = [
            corroboration("METER_MISREAD", a_usage_record(session_id=name), session_id="s-7")
            for name in ("s-7", "s-8")
        ]

        assert [answer.result for answer in answers] == ["fail", "insufficient"]

    def test_a_register_below_the_previous_session_bears_it_out(self) -> None:
        """Both sessions are among the facts."""
        first = a_usage_record(session_id="a", started_at=FAULT_TIME - timedelta(hours=5), meter_stop_kwh=150.0)
        second = a_usage_record(session_id="b", energy_kwh=11.0)

        answer = corroboration("METER_REGRESSION", second, first)

        assert verdict_of(answer) == ("pass", "REGISTER_BELOW_PREVIOUS")
        assert (answer.facts["session_id"], answer.facts["other"]["meter_stop_kwh"]) == ("b", 150.0)

    def test_the_power_of_the_spot_is_the_measure(self) -> None:
        """What any car could take may still be more than this spot gives."""
        claim, usage = a_claim(code="ENERGY_IMPLAUSIBLE"), a_usage_record(energy_kwh=50.0, meter_stop_kwh=150.0)

        results = [
            usage_corroborates(an_input(claim, usage, spot=a_spot(max_power_kw=power)), POLICY)
            for power in (None, 22.0, 50.0)
        ]

        assert [verdict_of(answer) for answer in results] == [
            ("fail", "USAGE_CONSISTENT"),
            ("pass", "POWER_ABOVE_SPOT"),
            ("fail", "USAGE_CONSISTENT"),
        ]
