"""Usage records: the latest word on a session counts, in whatever order it came, and waiting claims hear of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from domain.changes import Changes, DoneStep
from domain.eligibility.evaluation import EvaluationInput
from domain.eligibility.question import SESSIONS_AT_MOST, touches
from domain.eligibility.verify import verify
from domain.field.usage import UsageRecord
from tests.builders import FAULT_TIME, NOW, a_claim, a_fault, a_piece, a_policy, a_usage_record
from tests.integration.parts import Spotclaim

HOUR = timedelta(hours=1)
MISREAD = {"energy_kwh": -39.62, "meter_start_kwh": None, "meter_stop_kwh": None}


def word(number: int) -> UsageRecord:
    """The n-th thing said of one session."""
    return a_usage_record(session_id="s-1", recorded_at=NOW + timedelta(minutes=number), energy_kwh=float(number))


def current(spotclaim: Spotclaim) -> list[float]:
    rows = spotclaim.rows("SELECT energy_kwh FROM usage_records WHERE current")
    return [row["energy_kwh"] for row in rows]


def case_of(spotclaim: Spotclaim, **claim: object) -> EvaluationInput:
    with spotclaim.store.transaction() as transaction:
        [case] = transaction.cases([a_claim(**claim)], a_policy())
    return case


def usage_of(spotclaim: Spotclaim, **claim: object) -> list[UsageRecord]:
    """The records that a claim is judged by."""
    return list(case_of(spotclaim, **claim).usage)


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
@pytest.mark.parametrize("together", [False, True])
def test_the_latest_word_on_a_session_counts(spotclaim: Spotclaim, order: tuple[int, ...], together: bool) -> None:
    """In one batch or one after the other, in any order; earlier words are kept as evidence."""
    records = [word(number) for number in order]
    for batch in [records] if together else [[record] for record in records]:
        spotclaim.take_in(usage=batch)

    assert current(spotclaim) == [3.0]
    assert spotclaim.value("SELECT count(*) FROM usage_records") == 3


def test_a_number_that_comes_again_a_year_later_displaces_nobody(spotclaim: Spotclaim) -> None:
    """In whatever order: the misread session of the first year must stay, and the later word on the second one."""
    year = timedelta(days=365)
    times = {"started_at": FAULT_TIME + year, "ended_at": FAULT_TIME + year + HOUR, "recorded_at": NOW + 2 * year}
    records = [
        a_usage_record(session_id="1", energy_kwh=-9.0),
        a_usage_record(session_id="1", energy_kwh=12.0, **times),
        a_usage_record(session_id="1", energy_kwh=13.0, **(times | {"recorded_at": NOW + 2 * year + HOUR})),
    ]
    for order in permutations(records):
        spotclaim.rows("DELETE FROM usage_records")
        for record in order:
            spotclaim.take_in(usage=[record])

        assert sorted(current(spotclaim)) == [-9.0, 13.0]


def test_two_words_of_one_moment_leave_one(spotclaim: Spotclaim) -> None:
    """The same one, whichever came first."""
    one, other = word(1), word(1)
    spotclaim.take_in(usage=[one])
    spotclaim.take_in(usage=[other])

    [key] = spotclaim.rows("SELECT replace(key::text, '-', '') AS key FROM usage_records WHERE current")
    assert key["key"] == max(one.key, other.key)


@pytest.mark.parametrize("order", list(permutations(["final", "under way", "without end"])))
def test_of_one_moment_the_final_word_counts(spotclaim: Spotclaim, order: tuple[str, ...]) -> None:
    """A source may send what is known so far and the end with one time, in any order, whatever their keys."""
    for last in (0, 1):
        records = {
            "final": replace(word(9), key=f"{last:032x}"),
            "under way": replace(word(1), key=f"{2:032x}", under_way=True, ended_at=None),
            "without end": replace(word(2), key=f"{3 + last:032x}", ended_at=None),
        }
        spotclaim.rows("DELETE FROM usage_records")
        for name in order:
            spotclaim.take_in(usage=[replace(records[name], recorded_at=NOW)])

        assert current(spotclaim) == [9.0]


def test_sessions_of_other_spots_are_other_sessions(spotclaim: Spotclaim) -> None:
    """Controllers count their sessions from 1, each for itself."""
    spotclaim.take_in(usage=[word(1), a_usage_record(spot_id="E2", session_id="s-1", energy_kwh=2.0)])

    assert sorted(current(spotclaim)) == [1.0, 2.0]


def test_two_workers_leave_one_word_current(spotclaim: Spotclaim) -> None:
    """Each writes its word before it can see the other's."""
    with ThreadPoolExecutor(1) as pool:
        with spotclaim.store.transaction() as first:
            first.record_usage([word(1)])
            second = pool.submit(spotclaim.take_in, usage=[word(2)])
            spotclaim.await_done_or_waiting(second)
        second.result()

    assert current(spotclaim) == [2.0]


class TestWakingClaims:
    """A claim that waits for its evidence is checked again when it comes."""

    def test_late_usage_is_what_a_waiting_claim_waits_for(self, spotclaim: Spotclaim) -> None:
        """From awaiting evidence to under review, by the record alone."""
        spotclaim.take_in(faults=[a_fault()])
        spotclaim.carry_out()
        assert [claim["status"] for claim in spotclaim.claims()] == ["awaiting_evidence"]

        spotclaim.take_in(usage=[a_usage_record(**MISREAD)])
        spotclaim.carry_out()

        [claim] = spotclaim.claims()
        assert claim["status"] == "under_review"
        assert spotclaim.verdict(claim)["answers"][-1]["reason"] == "NEGATIVE_ENERGY"

    def test_usage_that_comes_after_the_verdict_counts_as_well(self, spotclaim: Spotclaim) -> None:
        """A reservation that was served in the end is no claim, though it was under review already; and the other
        way round: a sound record came first."""
        promised = {"raw_code": "SPOT_OCCUPIED", "reservation_id": "r-1"}
        spotclaim.take_in(
            faults=[a_fault(**promised), a_fault(spot_id="E2")],
            usage=[a_usage_record(spot_id="E2"), a_usage_record(started_at=None)],
        )
        spotclaim.carry_out()
        assert {claim["status"] for claim in spotclaim.claims()} == {"under_review", "ineligible"}

        spotclaim.take_in(
            usage=[a_usage_record(reservation_id="r-1"), a_usage_record(spot_id="E2", session_id="s-2", **MISREAD)]
        )
        spotclaim.carry_out()

        claims = {claim["code"]: claim for claim in spotclaim.claims()}
        honoured, misread = claims["SPOT_OCCUPIED"], claims["METER_MISREAD"]
        assert (honoured["status"], honoured["stages"]) == ("ineligible", [])
        assert spotclaim.verdict(honoured)["answers"][-1]["reason"] == "RESERVATION_HONOURED"
        assert misread["status"] == "under_review"
        spotclaim.demand_sound_chains()

    def test_usage_of_other_spots_wakes_nobody(self, spotclaim: Spotclaim) -> None:
        """Nor does a record that came before."""
        spotclaim.take_in(faults=[a_fault()])
        spotclaim.carry_out()
        waiting = len(spotclaim.steps())

        spotclaim.take_in(usage=[a_usage_record(spot_id="E2")])

        assert len(spotclaim.steps()) == waiting

    def test_all_waiting_claims_of_the_spots_are_woken_by_one_step(self, spotclaim: Spotclaim) -> None:
        """One batch of records, one step."""
        codes = ("METER_MISREAD", "METER_UNREADABLE")
        spotclaim.take_in(faults=[a_fault(spot_id=spot, raw_code=code) for spot in ("E1", "E2") for code in codes])
        spotclaim.carry_out()
        before = {step["id"] for step in spotclaim.steps()}

        spotclaim.take_in(usage=[a_usage_record(spot_id=spot) for spot in ("E1", "E2", "E2")])

        [step] = [step for step in spotclaim.steps() if step["id"] not in before]
        assert (step["kind"], len(step["subject_ids"])) == ("verify", 4)

    def test_a_repeated_record_wakes_nobody(self, spotclaim: Spotclaim) -> None:
        """It says nothing new."""
        record = a_usage_record(spot_id="E1")
        spotclaim.take_in(usage=[record])
        spotclaim.put_on_record(a_claim(spot_id="E1", status="awaiting_evidence"))

        spotclaim.take_in(usage=[record])

        assert spotclaim.steps() == []

    def test_a_record_that_comes_during_the_check_is_not_overlooked(
        self, set_up: Callable[..., Spotclaim]
    ) -> None:
        """The check did not see it, and it did not see that the claim would wait: not for three days, though."""
        now = datetime.now(UTC)
        spotclaim = set_up(clock=lambda: now)
        spotclaim.take_in(faults=[a_fault(occurred_at=now - timedelta(hours=1))])
        [step] = spotclaim.steps()

        with ThreadPoolExecutor(1) as pool:
            with spotclaim.store.transaction() as checking:
                [claim] = checking.claims(step["subject_ids"])
                checking.record(
                    verify(checking.cases([claim], spotclaim.policy), spotclaim.policy, spotclaim.clock())
                )
                checking.record(Changes(DoneStep(step["id"])))
                times = {"started_at": now - timedelta(hours=2), "ended_at": now - timedelta(hours=1)}
                record = pool.submit(spotclaim.take_in, usage=[a_usage_record(**MISREAD, **times)])
                spotclaim.await_done_or_waiting(record)
            record.result()
        spotclaim.carry_out()

        assert [claim["status"] for claim in spotclaim.claims()] == ["under_review"]


def ids_of(spotclaim: Spotclaim, **claim: Any) -> list[str]:
    return sorted(record.session_id for record in usage_of(spotclaim, **claim))


def begun(session_id: str, off: timedelta, **changes: Any) -> UsageRecord:
    """A session of an hour that began so long after the fault, on connector 1."""
    start = FAULT_TIME + off
    fields = {"session_id": session_id, "connector_id": 1, "started_at": start, "ended_at": start + HOUR}
    return a_usage_record(**(fields | changes))


class TestAskedFor:
    """The records that a claim asks for: see `domain.eligibility.question`."""

    def test_all_that_ran_around_the_fault_is_found(self, spotclaim: Spotclaim) -> None:
        """However many there are, and no others."""
        hours = [*range(-60, 61)]
        spotclaim.take_in(usage=[begun(f"{hour}", hour * HOUR) for hour in hours])

        found = {record.session_id for record in usage_of(spotclaim) if touches(record, FAULT_TIME)}

        assert found == {f"{hour}" for hour in hours if -25 <= hour <= 24}

    def test_long_sessions_and_those_under_way_are_found_however_early_they_began(
        self, spotclaim: Spotclaim
    ) -> None:
        """They ran at that moment."""
        long = begun("long", -90 * HOUR, ended_at=FAULT_TIME + HOUR)
        going_on = begun("going on", -90 * HOUR, ended_at=None, under_way=True, recorded_at=NOW)
        over = begun("over", -90 * HOUR, ended_at=FAULT_TIME - 30 * HOUR)
        spotclaim.take_in(usage=[long, going_on, over])

        assert ids_of(spotclaim) == ["going on", "long"]

    def test_a_named_session_is_found_with_its_neighbours(self, spotclaim: Spotclaim) -> None:
        """On its connector: the one before, the one after, and what overlaps; and nothing around the fault."""
        day = 24 * HOUR
        spotclaim.take_in(
            usage=[
                begun("own", -200 * day, ended_at=FAULT_TIME - 200 * day + 5 * HOUR),
                begun("before", -203 * day),
                begun("long before", -210 * day),
                begun("overlapping", -200 * day - HOUR, ended_at=FAULT_TIME - 200 * day + HOUR),
                begun("overlapping too", -200 * day + 4 * HOUR),
                begun("after", -199 * day),
                begun("elsewhere", -200 * day + HOUR, connector_id=2),
                begun("around", -HOUR),
                begun("own", -200 * day, spot_id="E2"),
            ]
        )

        assert ids_of(spotclaim, session_id="own") == ["overlapping", "overlapping too", "own"]
        spotclaim.rows("DELETE FROM usage_records WHERE session_id LIKE 'overlapping%%'")
        assert ids_of(spotclaim, session_id="own") == ["after", "before", "own"]

    def test_what_ran_under_the_reservation_is_found_however_late(self, spotclaim: Spotclaim) -> None:
        """With its neighbours, behind any number of others; the same number at another time is another one."""
        spotclaim.take_in(
            usage=[
                begun("own", 300 * HOUR, reservation_id="r"),
                begun("before", 200 * HOUR),
                begun("long before", 150 * HOUR),
                begun("after", 400 * HOUR),
                begun("again", 2000 * HOUR, reservation_id="r"),
            ]
        )

        assert ids_of(spotclaim, reservation_id="r") == ["after", "before", "own"]

    def test_the_nearest_records_show_that_they_come_in(self, spotclaim: Spotclaim) -> None:
        """To allocation failures, one on each side."""
        spotclaim.take_in(usage=[begun(f"{days}", days * 24 * HOUR) for days in (-9, -8, 5, 6)])

        allocation = {"code": "SPOT_OCCUPIED", "claim_type": "allocation_failure"}
        assert (ids_of(spotclaim, **allocation), ids_of(spotclaim)) == (["-8", "5"], [])

    def test_more_than_can_be_told_by_is_said_and_not_sampled(self, spotclaim: Spotclaim) -> None:
        """One too many."""
        seconds = [timedelta(seconds=number) for number in range(SESSIONS_AT_MOST)]
        spotclaim.take_in(usage=[begun(f"{second}", second) for second in seconds])
        assert not case_of(spotclaim).too_much_usage

        spotclaim.take_in(usage=[begun("one more", HOUR)])

        assert case_of(spotclaim).too_much_usage

    def test_a_record_comes_back_as_it_was_sent(self, spotclaim: Spotclaim) -> None:
        """All that the rules look at."""
        record = a_usage_record(connector_id=2, reservation_id="r-1", user="u-1", stop_reason="Remote", **MISREAD)
        spotclaim.take_in(usage=[record])

        [found] = usage_of(spotclaim)

        found.key = found.key.replace("-", "")
        assert found == record

    def test_superseded_records_and_those_of_other_spots_do_not_count(self, spotclaim: Spotclaim) -> None:
        """What a controller took back is no evidence."""
        spotclaim.take_in(usage=[word(1), word(2), a_usage_record(spot_id="E2")])

        assert [record.energy_kwh for record in usage_of(spotclaim)] == [2.0]

    def test_a_session_whose_start_is_unknown_is_placed_by_its_end(self, spotclaim: Spotclaim) -> None:
        """Stations that lost their power report the end of sessions alone."""
        spotclaim.take_in(usage=[a_usage_record(started_at=None, **MISREAD)])

        assert [record.findings for record in usage_of(spotclaim)] == [["NEGATIVE_ENERGY"]]

    def test_each_claim_of_a_batch_has_its_own(self, spotclaim: Spotclaim) -> None:
        """By its spot and its time."""
        spotclaim.take_in(usage=[a_usage_record(spot_id=f"E{n}", session_id=f"s{n}") for n in range(3)])
        claims = [a_claim(spot_id=f"E{n}") for n in range(4)]

        with spotclaim.store.transaction() as transaction:
            cases = transaction.cases(claims, a_policy())

        assert [[record.session_id for record in case.usage] for case in cases] == [["s0"], ["s1"], ["s2"], []]

    def test_no_claims_have_no_cases(self, spotclaim: Spotclaim) -> None:
        """A repeated step may find nothing left."""
        with spotclaim.store.transaction() as transaction:
            assert transaction.cases([], a_policy()) == []
            transaction.record(Changes())


class TestReports:
    """What the faults of a claim said: how the field named the error, and what evidence came along."""

    def case_of(self, spotclaim: Spotclaim) -> EvaluationInput:
        codes = a_policy().codes
        demanding = {code: replace(of, evidence=("photo",)) for code, of in codes.items()}
        policy = a_policy(codes=demanding)
        with spotclaim.store.transaction() as transaction:
            [claim] = transaction.claims([spotclaim.claims()[0]["id"]])
            [case] = transaction.cases([claim], policy)
        return case

    def test_every_fault_of_a_claim_speaks(self, spotclaim: Spotclaim) -> None:
        """Those that opened it and those that were counted later; the same thing said twice is said once."""
        photo, note = a_piece("photo", name="a.jpg"), a_piece("note")
        spotclaim.take_in(faults=[a_fault(taxonomy="mrec", raw_code="CX001", evidence=[photo, note, photo])])
        later = [a_fault(taxonomy="ocpp1.6", raw_code="ConnectorLockFailure", evidence=[]) for _ in range(2)]
        spotclaim.take_in(
            faults=[*later, a_fault(taxonomy="mrec", raw_code="cx001", evidence=[a_piece("session")])]
        )

        case = self.case_of(spotclaim)

        assert case.reported == {("mrec", "CX001"), ("mrec", "cx001"), ("ocpp1.6", "ConnectorLockFailure")}
        assert case.evidence == {"photo", "note", "session"}

    def test_a_claim_whose_reports_leave_the_station_out_is_ineligible(self, spotclaim: Spotclaim) -> None:
        """A lock that the vehicle holds is the vehicle's matter."""
        spotclaim.take_in(faults=[a_fault(taxonomy="mrec", raw_code="CX001")])
        spotclaim.carry_out()

        [claim] = spotclaim.claims()
        reasons = [
            answer["reason"] for answer in spotclaim.verdict(claim)["answers"] if answer["result"] == "fail"
        ]
        assert (claim["status"], reasons) == ("ineligible", ["STATION_NOT_INVOLVED"])

    def test_of_a_storm_the_first_reports_are_read(self, spotclaim: Spotclaim) -> None:
        """However many there are, verification stays quick."""
        for raw_code in ["METER_MISREAD"] * 19 + ["meter_misread", "Meter_Misread"]:
            spotclaim.take_in(faults=[a_fault(raw_code=raw_code)])

        reported = self.case_of(spotclaim).reported
        assert reported == {("spotclaim", "METER_MISREAD"), ("spotclaim", "meter_misread")}


def test_evidence_that_comes_late_in_a_storm_is_seen(set_up: Callable[..., Spotclaim]) -> None:
    """However many faults without any came before it."""
    codes = a_policy().codes
    demanding = {**codes, "GROUND_FAILURE": replace(codes["GROUND_FAILURE"], evidence=("photo",))}
    spotclaim = set_up(policy=a_policy(codes=demanding), clock=lambda: datetime.now(UTC))
    for _ in range(25):
        spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    spotclaim.carry_out()
    assert [claim["status"] for claim in spotclaim.claims()] == ["awaiting_evidence"]

    spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE", evidence=[a_piece("photo")])])
    spotclaim.carry_out()

    assert [claim["status"] for claim in spotclaim.claims()] == ["under_review"]
