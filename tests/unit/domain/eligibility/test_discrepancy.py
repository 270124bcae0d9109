"""Whether what a spot recorded bears out that it was not what happened, with the reason and the facts used."""

from datetime import timedelta

import pytest

from domain.eligibility.evaluation import RuleResult
from domain.eligibility.question import AROUND
from domain.eligibility.usage_rule import usage_corroborates
from domain.field.usage import UsageRecord
from tests.builders import FAULT_TIME, a_claim, a_policy, a_spot, a_usage_record, an_input

POLICY = a_policy(corroboration_window_days=30)


def verdict_of(answer: RuleResult) -> tuple[str, str]:
    return answer.result, answer.reason


def corroboration(code: str, *usage: UsageRecord, **claim: object) -> RuleResult:
    return usage_corroborates(an_input(a_claim(**({"code": code, "connector_id": 1} | claim)), *usage), POLICY)


def a_record(**changes: object) -> UsageRecord:
    """A sound session of an hour on connector 1, which ended when the fault occurred."""
    return a_usage_record(**({"connector_id": 1} | changes))


def a_misread(distance: timedelta = timedelta(0), **changes: object) -> UsageRecord:
    """A record with negative energy that ended so long before the fault."""
    end = FAULT_TIME - distance
    fields = {"energy_kwh": -39.62, "meter_start_kwh": None, "meter_stop_kwh": None}
    return a_record(**(fields | {"started_at": end - timedelta(hours=1), "ended_at": end} | changes))


def test_equipment_needs_no_usage() -> None:
    """A ground failure leaves no trace in sessions."""
    claim = a_claim(code="GROUND_FAILURE", claim_type="equipment")

    assert verdict_of(usage_corroborates(an_input(claim), POLICY)) == ("pass", "NOT_DEMANDED")


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
            ("METER_MISREAD", a_usage_record(energy_kwh=0.0, meter_stop_kwh=100.0), "ZERO_ENERGY"),
            ("METER_UNREADABLE", a_usage_record(energy_kwh=None, ended_at=None), "ENERGY_MISSING"),
        ],
    )
    def test_each_code_has_findings_that_tell(self, code: str, record: UsageRecord, finding: str) -> None:
        """The most telling one of them is the reason."""
        assert verdict_of(corroboration(code, record)) == ("pass", finding)

    def test_of_equal_findings_the_nearest_in_time_wins(self) -> None:
        """Before or after the fault."""
        records = [a_misread(timedelta(hours=hours), session_id=f"s-{hours}") for hours in (9, -2, 5)]

        assert corroboration("METER_MISREAD", *records).facts["session_id"] == "s--2"

    def test_a_record_without_any_time_is_not_near(self) -> None:
        """It cannot disprove a claim."""
        timeless = a_usage_record(started_at=None, ended_at=None)

        assert corroboration("METER_MISREAD", timeless).result == "insufficient"

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


class TestNamedSession:
    """A claim that names a session is judged by its record and its neighbours."""

    def test_a_sound_one_disproves_it_whatever_others_show(self) -> None:
        """Before it, after it, on other connectors, and of the affected user as well."""
        others = [a_misread(timedelta(hours=hours), connector_id=hours % 3, user="u") for hours in range(-9, 9)]

        given = corroboration("METER_MISREAD", a_record(session_id="own"), *others, session_id="own")

        assert (*verdict_of(given), given.facts["session_id"]) == ("fail", "USAGE_CONSISTENT", "own")

    @pytest.mark.parametrize("ago", [timedelta(0), timedelta(days=45), timedelta(days=700)])
    def test_it_counts_however_long_ago_it_was(self, ago: timedelta) -> None:
        """How late a claim may be filed is another rule's matter."""
        given = corroboration("METER_MISREAD", a_misread(ago, session_id="own"), a_record(), session_id="own")

        assert (*verdict_of(given), given.facts["session_id"]) == ("pass", "NEGATIVE_ENERGY", "own")

    def test_one_that_is_not_on_file_may_still_come(self) -> None:
        """What others show says nothing of it."""
        given = corroboration("METER_MISREAD", a_misread(), a_record(), session_id="own")

        assert verdict_of(given) == ("insufficient", "USAGE_MISSING")

    @pytest.mark.parametrize(
        "changes",
        [
            {"started_at": FAULT_TIME - timedelta(hours=25)},
            {"energy_kwh": None},
            {"ended_at": None, "under_way": True},
        ],
        ids=["lasted too long", "no energy", "under way"],
    )
    def test_a_record_that_is_not_sound_is_no_witness(self, changes: dict[str, object]) -> None:
        """It has something else wrong, or is not complete."""
        given = corroboration("UNIT_MISMATCH", a_record(session_id="own", **changes), session_id="own")

        assert verdict_of(given) == ("insufficient", "NO_SOUND_WITNESS")

    def test_a_number_that_the_station_used_again_means_the_nearest(self) -> None:
        """Stations count from one again."""
        last_year = a_misread(timedelta(days=365), session_id="1")

        assert corroboration("METER_MISREAD", last_year, a_record(session_id="1"), session_id="1").result == "fail"

    def test_the_session_under_the_reservation_is_as_good_as_named(self) -> None:
        """Unless it is known to be another user's."""
        own = a_misread(timedelta(hours=30), reservation_id="r", user="u")

        answers = [
            corroboration("METER_MISREAD", own, reservation_id="r", affected_user=user).result
            for user in ("u", None, "v")
        ]

        assert answers == ["pass", "pass", "insufficient"]


class TestNeighbours:
    """What shows only beside the session before or at the same time."""

    def before(self, **changes: object) -> UsageRecord:
        """It left the register at 150 kWh, five hours before."""
        start = FAULT_TIME - timedelta(hours=6)
        fields = {"started_at": start, "ended_at": start + timedelta(hours=1)}
        registers = {"meter_start_kwh": 139.0, "meter_stop_kwh": 150.0}
        return a_record(**(fields | registers | {"session_id": "a"} | changes))

    def test_a_register_below_the_previous_session_bears_it_out(self) -> None:
        """Both sessions are among the facts."""
        given = corroboration("METER_REGRESSION", a_record(session_id="b"), self.before(), session_id="b")

        assert verdict_of(given) == ("pass", "REGISTER_BELOW_PREVIOUS")
        assert (given.facts["session_id"], given.facts["other"]["meter_stop_kwh"]) == ("b", 150.0)

    def test_the_session_before_is_not_wrong_for_it(self) -> None:
        """The claim names the earlier one, whose own figures are sound."""
        given = corroboration("METER_REGRESSION", a_record(), self.before(), session_id="a")

        assert verdict_of(given) == ("fail", "USAGE_CONSISTENT")

    @pytest.mark.parametrize(
        "changes", [{"connector_id": 2}, {"meter_stop_kwh": 150_000.0}, {"meter_stop_kwh": None}]
    )
    def test_another_connector_or_a_wrong_register_is_no_measure(self, changes: dict[str, object]) -> None:
        """A record that is wrong itself does not prove another wrong."""
        given = corroboration("METER_REGRESSION", a_record(session_id="b"), self.before(**changes), session_id="b")

        assert verdict_of(given) == ("fail", "USAGE_CONSISTENT")

    @pytest.mark.parametrize("own", ["a", "b"])
    def test_an_overlap_is_about_both_sessions(self, own: str) -> None:
        """Either may be the one that was billed wrongly."""
        sessions = [a_record(session_id=name, user="u") for name in ("a", "b")]

        given = corroboration("SESSION_OVERLAP", *sessions, session_id=own)

        assert verdict_of(given) == ("pass", "SESSIONS_OVERLAP")
        assert {given.facts["session_id"], given.facts["other"]["session_id"]} == {"a", "b"}

    def test_connector_0_proves_no_overlap_and_no_regression(self) -> None:
        """The sessions may have used an outlet each, with a meter each."""
        sessions = [a_record(session_id=name, connector_id=0) for name in ("a", "b")]
        registers = [self.before(connector_id=0), a_record(session_id="b", connector_id=0)]

        assert corroboration("SESSION_OVERLAP", *sessions, session_id="b").result == "fail"
        assert corroboration("METER_REGRESSION", *registers, session_id="b").result == "fail"

    def test_an_overlap_with_impossible_times_is_the_others_fault(self) -> None:
        """A session that never ended overlaps all that follow."""
        endless = a_record(started_at=FAULT_TIME - timedelta(days=9), session_id="a")

        given = corroboration("SESSION_OVERLAP", endless, a_record(session_id="b"), session_id="b")

        assert verdict_of(given) == ("fail", "USAGE_CONSISTENT")


class TestUnnamedSession:
    """A claim that names none is judged by what its connector recorded around the fault."""

    def test_the_most_telling_finding_wins_over_the_nearest(self) -> None:
        """Negative energy cannot be; registers that disagree may have been rounded."""
        near, far = a_record(energy_kwh=5.0), a_misread(timedelta(hours=20))

        assert corroboration("METER_MISREAD", near, far).reason == "NEGATIVE_ENERGY"

    def test_only_what_ran_around_the_fault_counts(self) -> None:
        """Up to the edge, before and after."""
        edge, beyond = AROUND, AROUND + timedelta(seconds=1)

        results = [corroboration("METER_MISREAD", a_misread(off)).result for off in (edge, beyond)]

        assert results == ["pass", "insufficient"]

    @pytest.mark.parametrize("changes", [{"connector_id": 2}, {"user": "v"}])
    def test_another_connector_or_user_bears_nothing_out(self, changes: dict[str, object]) -> None:
        """It has a meter of its own; and a session of somebody else is not the one complained of."""
        given = corroboration("METER_MISREAD", a_misread(**changes), affected_user="u")

        assert verdict_of(given) == ("insufficient", "USAGE_MISSING")

    def test_the_session_that_was_running_disproves_it(self) -> None:
        """By its record, if that is sound."""
        half = timedelta(minutes=30)
        running = {"started_at": FAULT_TIME - half, "ended_at": FAULT_TIME + half}

        assert corroboration("METER_MISREAD", a_record(**running)).result == "fail"
        unsound = a_record(**running, recorded_at=FAULT_TIME - half)
        assert verdict_of(corroboration("METER_MISREAD", unsound)) == ("insufficient", "NO_SOUND_WITNESS")

    def test_sound_sessions_before_and_after_do_not_disprove_it(self) -> None:
        """The record of the session in which the fault occurred may still come."""
        before = a_record(ended_at=FAULT_TIME - timedelta(seconds=1))

        assert verdict_of(corroboration("METER_MISREAD", before)) == ("insufficient", "USAGE_MISSING")

    def test_the_affected_users_own_session_disproves_it(self) -> None:
        """They named none, and had this one."""
        before = a_record(ended_at=FAULT_TIME - timedelta(seconds=1), user="u")

        assert verdict_of(corroboration("METER_MISREAD", before, affected_user="u")) == (
            "fail",
            "USAGE_CONSISTENT",
        )

    def test_a_session_of_another_connector_does_not_disprove_it(self) -> None:
        """It has a meter of its own; one of the whole spot does speak."""
        results = [corroboration("METER_MISREAD", a_record(connector_id=one)).result for one in (0, 1, 2)]

        assert results == ["fail", "fail", "insufficient"]

    def test_more_sessions_than_are_read_leave_it_open(self) -> None:
        """The reason says so; a sample would decide by chance."""
        case = an_input(a_claim(), a_misread())
        case.too_much_usage = True

        assert verdict_of(usage_corroborates(case, POLICY)) == ("insufficient", "TOO_MANY_SESSIONS")

    @pytest.mark.parametrize(("energy", "result"), [(7.313, "insufficient"), (7.0, "fail")])
    def test_the_very_energy_of_the_session_before_leaves_it_open(self, energy: float, result: str) -> None:
        """It may be chance, as it is with whole kWh; so it is no witness for or against."""
        start = FAULT_TIME - timedelta(hours=9)
        fields = {"energy_kwh": energy, "meter_start_kwh": None, "meter_stop_kwh": None}
        before = a_record(started_at=start, ended_at=start + timedelta(hours=3), **fields)

        given = corroboration("METER_MISREAD", before, a_record(session_id="own", **fields), session_id="own")

        assert given.result == result
