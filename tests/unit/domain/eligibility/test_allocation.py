"""Whether what a spot recorded bears out that it could not be had."""

from datetime import timedelta

import pytest

from domain.eligibility.evaluation import RuleResult
from domain.eligibility.usage_rule import usage_corroborates
from domain.field.usage import UsageRecord
from tests.builders import FAULT_TIME, a_claim, a_policy, a_usage_record, an_input

POLICY = a_policy(corroboration_window_days=30, no_usage_passes=False)
MINUTE = timedelta(minutes=1)
NO_ENERGY = {"energy_kwh": 0.0, "meter_start_kwh": None, "meter_stop_kwh": None}


def answer(*usage: UsageRecord, **claim: object) -> RuleResult:
    fields = {"code": "RESERVATION_NOT_CONFIRMED", "claim_type": "allocation_failure", "connector_id": 1}
    return usage_corroborates(an_input(a_claim(**(fields | claim)), *usage), POLICY)


def verdict(*usage: UsageRecord, **claim: object) -> tuple[str, str]:
    given = answer(*usage, **claim)
    return given.result, given.reason


def a_session(begin: timedelta = -30 * MINUTE, end: timedelta = 30 * MINUTE, **changes: object) -> UsageRecord:
    """A sound session on connector 1, by default half an hour before the fault and after it."""
    start, stop = FAULT_TIME + begin, FAULT_TIME + end
    times = {"started_at": start, "ended_at": stop, "recorded_at": stop, "received_at": stop}
    return a_usage_record(**({"connector_id": 1} | times | changes))


class TestReserved:
    """What ran under the reservation of the claim."""

    def test_a_sound_session_disproves_it(self) -> None:
        """The reservation was honoured, whoever else was there, and however late."""
        for begin in (-30 * MINUTE, 9 * 60 * MINUTE):
            own = a_session(begin, begin + 60 * MINUTE, reservation_id="r-1")
            assert verdict(a_session(user="v"), own, reservation_id="r-1") == ("fail", "RESERVATION_HONOURED")

    def test_one_without_energy_did_not_honour_it(self) -> None:
        """The spot let them in and gave nothing; a few watt hours are nothing as well."""
        for energy in (0.0, 0.01):
            own = a_session(reservation_id="r-1", **(NO_ENERGY | {"energy_kwh": energy}))
            assert verdict(own, reservation_id="r-1") == ("pass", "RESERVATION_WITHOUT_ENERGY")

    @pytest.mark.parametrize(
        "changes",
        [
            {"energy_kwh": -5.0},
            {"energy_kwh": None},
            {"ended_at": None},
            {"ended_at": None, "under_way": True},
        ],
        ids=["negative energy", "no energy", "no end", "under way"],
    )
    def test_a_record_that_is_not_sound_tells_nothing(self, changes: dict[str, object]) -> None:
        """It is no witness that all was well, nor that it was not."""
        own = a_session(reservation_id="r-1", **changes)

        assert verdict(own, reservation_id="r-1") == ("insufficient", "RESERVATION_UNCLEAR")

    def test_another_users_session_did_not_honour_it(self) -> None:
        """Both are known, and differ. Unknown on either side is not another."""
        taken = a_session(reservation_id="r-1", user="v")

        assert verdict(taken, reservation_id="r-1", affected_user="u") == ("pass", "RESERVATION_USED_BY_ANOTHER")
        assert verdict(taken, reservation_id="r-1") == ("fail", "RESERVATION_HONOURED")
        unnamed = a_session(reservation_id="r-1")
        assert verdict(unnamed, reservation_id="r-1", affected_user="u") == ("fail", "RESERVATION_HONOURED")

    def test_a_number_that_comes_again_is_another_reservation(self) -> None:
        """Operators count from one again."""
        last_year = a_session(timedelta(days=-365), timedelta(days=-365, hours=1), reservation_id="1")

        assert verdict(last_year, a_session(user="v"), reservation_id="1", affected_user="u") == (
            "pass",
            "ANOTHER_SESSION_RUNNING",
        )

    def test_a_lock_can_fail_in_a_reserved_session(self) -> None:
        """That it was had does not say that it could be left."""
        own = a_session(reservation_id="r-1")

        assert verdict(own, code="CONNECTOR_LOCK_FAILURE", reservation_id="r-1")[0] == "pass"


class TestServed:
    """Whether the affected user charged all the same."""

    @pytest.mark.parametrize(
        ("begin", "connector"),
        [(MINUTE, 1), (5 * MINUTE, 1), (5 * MINUTE, 2), (-20 * MINUTE, 1), (30 * MINUTE, 1)],
        ids=["a minute later", "five minutes later", "on another connector", "at that moment", "just in time"],
    )
    def test_the_user_who_charged_is_told_as_such(self, begin: timedelta, connector: int) -> None:
        """Later, without the reservation, or on another connector."""
        own = a_session(begin, begin + 50 * MINUTE, user="u", connector_id=connector, session_id="own")

        given = answer(own, affected_user="u", reservation_id="r-1")

        assert (given.result, given.reason, given.facts["session_id"]) == ("fail", "USER_SERVED", "own")

    def test_the_session_that_the_claim_names_is_the_users(self) -> None:
        """Unless it is known to be another's."""
        own = a_session(5 * MINUTE, session_id="own")

        assert verdict(own, affected_user="u", session_id="own") == ("fail", "USER_SERVED")
        others = a_session(5 * MINUTE, session_id="own", user="v")
        assert verdict(others, affected_user="u", session_id="own") == ("pass", "NO_SESSION_SERVED")

    def test_who_charged_much_later_was_not_served(self) -> None:
        """The failure stands."""
        evening = a_session(7 * 60 * MINUTE, 8 * 60 * MINUTE, user="u")

        assert verdict(evening, affected_user="u") == ("pass", "NO_SESSION_SERVED")

    def test_a_session_without_energy_served_nobody(self) -> None:
        """They plugged in and got nothing."""
        assert verdict(a_session(MINUTE, user="u", **NO_ENERGY), affected_user="u")[0] == "pass"

    @pytest.mark.parametrize("changes", [{"energy_kwh": None}, {"energy_kwh": -3.0}, {"ended_at": None}])
    def test_a_record_that_is_not_sound_leaves_it_open(self, changes: dict[str, object]) -> None:
        """It may have been service, or not."""
        own = a_session(MINUTE, user="u", **changes)

        assert verdict(own, affected_user="u") == ("insufficient", "SERVICE_UNCLEAR")

    def test_a_session_of_nobody_known_leaves_it_open(self) -> None:
        """It began so soon after that it may be theirs; without a user to compare nothing is suspected."""
        soon = a_session(5 * MINUTE)

        assert verdict(soon, affected_user="u") == ("insufficient", "PERHAPS_SERVED")
        assert verdict(soon) == ("pass", "NO_SESSION_SERVED")


class TestOccupied:
    """What ran on the connector at that moment."""

    def test_another_users_session_proves_it(self) -> None:
        """Also one that goes on."""
        assert verdict(a_session(user="v"), affected_user="u") == ("pass", "ANOTHER_SESSION_RUNNING")
        going_on = a_session(ended_at=None, under_way=True, user="v")
        assert verdict(going_on, affected_user="u") == ("pass", "ANOTHER_SESSION_RUNNING")

    def test_unknown_is_not_another(self) -> None:
        """On either side."""
        assert verdict(a_session(user="v")) == ("pass", "SESSION_RUNNING")
        assert verdict(a_session(), affected_user="u") == ("pass", "SESSION_RUNNING")

    def test_a_session_on_another_connector_occupies_nothing(self) -> None:
        """One on an unknown connector may."""
        reasons = [
            verdict(a_session(user="v", connector_id=connector), affected_user="u")[1] for connector in (2, 0)
        ]

        assert reasons == ["NO_SESSION_SERVED", "ANOTHER_SESSION_RUNNING"]

    def test_a_session_that_ended_before_served_nobody_then(self) -> None:
        """By a second."""
        ended = a_session(end=timedelta(seconds=-1), user="v")

        assert verdict(ended, affected_user="u") == ("pass", "NO_SESSION_SERVED")

    def test_a_double_allocation_shows_as_two_sessions_at_once(self) -> None:
        """Both are among the facts."""
        sessions = [a_session(-60 * MINUTE, session_id="a"), a_session(session_id="b")]

        given = answer(*sessions, code="DOUBLE_ALLOCATION")

        assert (given.result, given.reason) == ("pass", "SESSIONS_OVERLAP")
        assert (given.facts["session_id"], given.facts["other"]["session_id"]) == ("b", "a")

    @pytest.mark.parametrize(
        "changes", [{"connector_id": 0}, {"user": "v"}], ids=["connector unknown", "one user"]
    )
    def test_two_sessions_need_not_be_a_double_allocation(self, changes: dict[str, object]) -> None:
        """On an unknown connector they may have had one each; one user may have begun twice."""
        sessions = [a_session(-60 * MINUTE, **changes), a_session(**changes)]

        assert verdict(*sessions, code="DOUBLE_ALLOCATION")[1] == "SESSION_RUNNING"


class TestIdle:
    """Nothing ran, as far as is known."""

    def test_a_spot_whose_records_come_in_served_nobody(self) -> None:
        """What it recorded before or after shows that they do."""
        assert verdict(a_session(-180 * MINUTE, -120 * MINUTE)) == ("pass", "NO_SESSION_SERVED")
        assert verdict(a_session(180 * MINUTE, 200 * MINUTE)) == ("pass", "NO_SESSION_SERVED")

    def test_a_spot_of_which_no_usage_is_known_tells_nothing(self) -> None:
        """Nor one whose records lie further off than the policy says."""
        old = a_session(timedelta(days=-40), timedelta(days=-40, hours=1))

        assert [verdict(), verdict(old)] == 2 * [("insufficient", "NO_USAGE_KNOWN")]

    def test_the_policy_may_let_it_pass(self) -> None:
        """For operators who have no usage records."""
        claim = a_claim(code="SPOT_OCCUPIED", claim_type="allocation_failure")

        given = usage_corroborates(an_input(claim), a_policy(no_usage_passes=True))

        assert (given.result, given.reason) == ("pass", "NO_USAGE_KNOWN")
