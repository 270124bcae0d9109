"""Sessions, their patches and CDRs become usage records, and what contradicts itself becomes a finding."""

from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from domain.field.usage import UsageRecord
from tests.unit.ingest.ocpi.objects import (
    Imported,
    a_cdr,
    a_location,
    a_patch,
    a_session,
    an_active_session,
    an_evse,
    at,
    imported,
    period,
)


def moment(minute: int) -> datetime:
    return datetime.fromisoformat(at(minute))


def only(done: Imported) -> UsageRecord:
    [record] = done.usage
    return record


class TestSessions:
    def test_a_session_is_a_usage_record(self) -> None:
        """With the spot by its party's name and the driver by the contract."""
        record = only(imported(a_session(authorization_reference="R-5")))

        assert (record.spot_id, record.session_id, record.connector_id) == ("FR*ABC*E1", "s-1", 2)
        assert (record.started_at, record.ended_at, record.recorded_at) == (moment(0), moment(60), moment(61))
        assert (record.energy_kwh, record.periods_kwh, record.under_way) == (11.0, 11.0, False)
        assert (record.user, record.reservation_id, record.findings) == ("FR-XYZ-C1", "R-5", [])
        assert record.samples == [{"at": at(0), "energy_kwh": 6.0}, {"at": at(30), "energy_kwh": 5.0}]

    def test_the_same_ids_of_two_parties_are_two_sessions(self) -> None:
        """An uid is unique within its party only."""
        done = imported(a_session(), a_session(party_id="XYZ"))
        assert {record.spot_id for record in done.usage} == {"FR*ABC*E1", "FR*XYZ*E1"}

    def test_a_session_that_goes_on_lacks_no_end(self) -> None:
        """Its source says so itself."""
        record = only(imported(an_active_session()))
        assert (record.ended_at, record.under_way, record.findings) == (None, True, [])

    @pytest.mark.parametrize("status", ["PENDING", "RESERVATION"])
    def test_a_session_that_has_not_begun_has_no_start(self, status: str) -> None:
        """Until then OCPI tells when the session was made."""
        record = only(imported(an_active_session(status=status)))
        assert (record.started_at, record.under_way) == (None, True)

    def test_a_session_declared_invalid_says_so(self) -> None:
        assert only(imported(a_session(status="INVALID"))).stop_reason == "INVALID"

    @pytest.mark.parametrize(
        ("changes", "findings"),
        [
            ({"kwh": 5.0}, ["PERIODS_DISAGREE"]),
            ({"kwh": 0.011}, ["PERIODS_DISAGREE", "UNIT_SLIP"]),
            ({"charging_periods": [period(0, 120), period(30, 10_880)]}, ["PERIODS_DISAGREE", "UNIT_SLIP"]),
            ({"last_updated": at(45)}, ["RECORDED_BEFORE_END"]),
            ({"end_date_time": at(0), "start_date_time": at(30)}, ["END_BEFORE_START"]),
            ({"kwh": -11.0}, ["NEGATIVE_ENERGY", "PERIODS_DISAGREE"]),
            ({"end_date_time": None}, ["END_MISSING"]),
            ({"start_date_time": "1970-01-01T00:00:00Z"}, ["TIME_IMPLAUSIBLE", "OVER_24_HOURS"]),
            ({"currency": "kWh", "total_cost": -1}, []),
        ],
    )
    def test_a_contradiction_is_a_finding(self, changes: dict[str, Any], findings: list[str]) -> None:
        """The record is kept as it was sent."""
        assert only(imported(a_session(**changes))).findings == findings

    def test_energy_and_periods_may_differ_while_the_session_goes_on(self) -> None:
        """The period that the energy belongs to is reported when it is over."""
        done = imported(an_active_session(kwh=9.0, charging_periods=[period(0, 6.0)]))
        assert (only(done).periods_kwh, only(done).findings) == (6.0, [])

    def test_periods_without_energy_add_up_to_nothing_known(self) -> None:
        """Time spent parking is no energy, and a volume that is no number tells none."""
        parked = {"start_date_time": at(0), "dimensions": [{"type": "PARKING_TIME", "volume": 0.7}]}
        garbled = {"start_date_time": at(0), "dimensions": [{"type": "ENERGY", "volume": "much"}]}
        assert only(imported(a_session(charging_periods=[parked, garbled]))).periods_kwh is None

    @pytest.mark.parametrize("volume", [1e308, -1e308])
    def test_periods_beyond_all_numbers_add_up_to_nothing_known(self, volume: float) -> None:
        """The record is ingested without them."""
        done = imported(a_session(charging_periods=[period(0, volume), period(10, volume), period(20, 1.0)]))
        assert only(done).periods_kwh is None

    def test_a_time_without_an_offset_is_utc(self) -> None:
        record = only(
            imported(a_session(start_date_time="2026-04-01T08:00:00", last_updated="2026-04-01T09:01:00"))
        )
        assert (record.started_at, record.recorded_at) == (moment(0), moment(61))

    def test_numbers_written_as_text_are_numbers(self) -> None:
        """Some partners quote everything."""
        record = only(imported(a_session(id=7, kwh="11.0", connector_id=2)))
        assert (record.session_id, record.energy_kwh, record.connector_id) == ("7", 11.0, 2)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"evse_uid": None}, "MISSING_FIELD"),
            ({"id": " "}, "MISSING_FIELD"),
            ({"last_updated": "yesterday"}, "INVALID_TIME"),
            ({"start_date_time": 1775030400}, "INVALID_TIME"),
            ({"kwh": "a lot"}, "INVALID_FIELD"),
            ({"evse_uid": "E" * 65}, "INVALID_FIELD"),
        ],
    )
    def test_a_session_that_nobody_can_place_is_refused(self, changes: dict[str, Any], reason: str) -> None:
        """Its neighbour is not."""
        done = imported(a_session(**changes), a_session(id="s-2"))
        assert (done.reasons, [record.session_id for record in done.usage]) == ([reason], ["s-2"])

    def test_a_session_without_an_evse_is_ignored_with_its_reason(self) -> None:
        """A reservation was assigned none, so no spot recorded anything."""
        done = imported(a_session(evse_uid="#NA", connector_id="#NA"))
        assert done.ignored == {"session of a reservation that was assigned no EVSE": 1}


class TestPatches:
    WORDS = (
        an_active_session(charging_periods=[period(0, 6.0)]),
        a_patch(30, kwh=6.0, total_cost={"excl_vat": 2.4}),
        a_patch(40, charging_periods=[period(30, 3.0)]),
        a_patch(61, kwh=11.0, charging_periods=[period(40, 2.0)], end_date_time=at(60), status="COMPLETED"),
    )

    @pytest.mark.parametrize("order", list(permutations(range(4))))
    def test_the_order_of_the_words_does_not_matter(self, order: tuple[int, ...]) -> None:
        """The same records come of the words however they are shuffled; the last is the session as it ended."""
        done = imported(*(self.WORDS[place] for place in order))

        assert {record.key for record in done.usage} == {record.key for record in imported(*self.WORDS).usage}
        latest = done.latest
        assert (latest.energy_kwh, latest.periods_kwh, latest.ended_at) == (11.0, 11.0, moment(60))
        assert (latest.under_way, latest.findings, latest.connector_id) == (False, [], 2)
        assert done.tally.accepted == 4

    def test_a_patch_changes_only_what_it_names(self) -> None:
        """What was known before stays, and an empty value unsays nothing."""
        latest = imported(an_active_session(), a_patch(20, kwh=2.0, evse_uid=None)).latest
        assert (latest.energy_kwh, latest.user, latest.started_at) == (2.0, "FR-XYZ-C1", moment(0))

    def test_a_period_sent_twice_counts_once(self) -> None:
        """A patch that was sent again adds nothing."""
        again = a_patch(40, charging_periods=[period(30, 3.0)])
        latest = imported(an_active_session(charging_periods=[period(0, 6.0)]), again, again).latest
        assert latest.periods_kwh == 9.0

    def test_words_with_an_offset_and_without_are_put_in_order(self) -> None:
        """One without it is UTC."""
        early, late = a_patch(20, kwh=2.0), a_patch(25, kwh=3.0)
        late["body"]["last_updated"] = "2026-04-01T08:25:00"
        early["body"]["last_updated"] = "2026-04-01T10:20:00+02:00"
        assert imported(late, an_active_session(), early).latest.energy_kwh == 3.0

    def test_two_patches_of_one_moment_count_both(self) -> None:
        """Many partners tell whole seconds."""
        done = imported(an_active_session(), a_patch(20, kwh=2.0), a_patch(20, charging_periods=[period(0, 1.9)]))
        assert (done.latest.energy_kwh, done.latest.periods_kwh) == (2.0, 1.9)
        assert len(done.usage) == 2

    def test_a_whole_session_says_everything_anew(self) -> None:
        """A patch from before it changes nothing any more."""
        done = imported(a_patch(40, kwh=99.0), a_session())
        assert (done.latest.energy_kwh, sum(done.ignored.values())) == (11.0, 1)

    def test_a_patch_without_its_session_is_refused_with_what_would_help(self) -> None:
        """Nobody knows its spot."""
        done = imported(a_patch(40, session="s-9", kwh=1.0), a_session())
        [refused] = done.quarantined
        assert (refused.reason, done.tally.refused) == ("UNKNOWN_SESSION", 1)
        assert "import the whole session with it" in refused.sentence

    def test_a_patch_that_nothing_names_is_refused_and_its_url_helps(self) -> None:
        """The bare body does not say which session it is about."""
        body = {"kwh": 2.0, "last_updated": at(20)}
        assert imported(body, a_session()).reasons == ["MISSING_FIELD"]
        done = imported(body, an_active_session(), url="/sessions/FR/ABC/s-1")
        assert done.latest.energy_kwh == 2.0

    def test_a_patch_without_a_time_is_refused(self) -> None:
        """Nothing tells which word is the later."""
        patch = a_patch(20, kwh=2.0)
        del patch["body"]["last_updated"]
        assert imported(patch, a_session()).reasons == ["MISSING_FIELD"]


class TestCdrs:
    def test_a_cdr_is_a_later_word_on_its_session(self) -> None:
        done = imported(a_session(), a_cdr(total_energy=12.0))
        assert (done.latest.energy_kwh, done.latest.findings) == (12.0, ["PERIODS_DISAGREE"])

    def test_a_cdr_of_no_session_stands_for_itself(self) -> None:
        assert only(imported(a_cdr(session_id=None))).session_id == "cdr-9"

    @pytest.mark.parametrize("cdr_first", [True, False])
    @pytest.mark.parametrize(
        "changes",
        [{}, {"id": "s-1", "start_date_time": at(2)}, {"start_date_time": "2026-04-01T10:00:00+02:00"}],
        ids=["same start", "same id", "same start elsewhere"],
    )
    def test_a_cdr_that_names_no_session_is_of_the_one_it_must_be(
        self, changes: dict[str, Any], cdr_first: bool
    ) -> None:
        """By its own id, or by its EVSE and start; in 2.1.1 no CDR can name one."""
        cdr = a_cdr(session_id=None, total_energy=12.0) | changes
        words = [an_active_session(), a_session(), an_active_session(id="s-2", start_date_time=at(70))]
        done = imported(*([cdr, *words] if cdr_first else [*words, cdr]))
        assert [record.session_id for record in done.usage if record.energy_kwh == 12.0] == ["s-1"]

    @pytest.mark.parametrize(
        ("sessions", "session_id"),
        [
            ([a_session(start_date_time=at(1))], "cdr-9"),
            ([a_session(evse_uid="E2")], "cdr-9"),
            ([a_session(party_id="XYZ")], "cdr-9"),
            ([an_active_session(status="RESERVATION")], "cdr-9"),
            ([a_session(), a_session(id="s-2")], "cdr-9"),
            ([a_session(), a_session(id="cdr-9", start_date_time=at(9))], "cdr-9"),
        ],
        ids=["another start", "another EVSE", "another party", "not begun", "two", "its own id"],
    )
    def test_a_cdr_is_of_no_session_that_it_only_resembles(
        self, sessions: list[dict[str, Any]], session_id: str
    ) -> None:
        """Two would lie on each other then, which is a finding; one that is made up is none."""
        done = imported(*sessions, a_cdr(session_id=None, total_energy=12.0))
        assert [record.session_id for record in done.usage if record.energy_kwh == 12.0] == [session_id]

    def test_a_credit_cdr_takes_another_one_back(self) -> None:
        """That of its session with as much energy; it states its own as negative."""
        [record] = imported(a_cdr(credit=True, credit_reference_id="cdr-8", total_energy=-11.0)).usage
        assert (record.takes_back, record.energy_kwh, record.findings) == (True, 11.0, [])

    def test_a_credit_cdr_without_a_session_takes_nothing_back(self) -> None:
        done = imported(a_cdr(credit=True, credit_reference_id="cdr-8", session_id=None, total_energy=-11.0))
        assert (done.usage, done.tally.ignored) == ([], 1)

    def test_a_cdr_without_any_id_is_refused(self) -> None:
        assert imported(a_cdr(id=None, session_id=None)).reasons == ["MISSING_FIELD"]


class TestOcpi211:
    def test_the_spot_comes_from_the_location_inside(self) -> None:
        """And is registered with it, once; the party is that of the option."""
        location = a_location(
            an_evse("E5", connectors=[{"id": "3", "power_type": "DC", "voltage": 400, "amperage": 125}])
        )
        old = {
            "start_datetime": at(0),
            "end_datetime": at(60),
            "kwh": 11.0,
            "auth_id": "FR-XYZ-C2",
            "location": {name: location[name] for name in ("id", "name", "city", "coordinates", "evses")},
            "total_cost": 4.4,
            "status": "COMPLETED",
            "last_updated": at(61),
        }
        done = imported({"id": "1"} | old, {"id": "2"} | old, party="FR*ABC")

        assert {(record.spot_id, record.connector_id, record.user) for record in done.usage} == {
            ("FR*ABC*E5", 3, "FR-XYZ-C2")
        }
        [spot] = done.spots
        assert (spot.spot_id, spot.max_power_kw, spot.site) == ("FR*ABC*E5", 50.0, "Gare du Nord")
        assert done.usage[0].ended_at == moment(60)

    def test_a_cdr_stops(self) -> None:
        """Where a later version ends."""
        cdr = a_cdr(stop_date_time=at(60), end_date_time=None, cdr_location=None, location=a_location())
        record = only(imported(cdr))
        assert (record.ended_at, record.spot_id, record.connector_id) == (moment(60), "FR*ABC*E1", 1)

    def test_without_a_party_the_uid_is_the_spot(self) -> None:
        session = a_session(country_code=None, party_id=None)
        assert only(imported(session)).spot_id == "E1"
