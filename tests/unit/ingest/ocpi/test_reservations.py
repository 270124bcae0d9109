"""Reservations that failed become faults of the spot that was asked."""

from itertools import permutations
from typing import Any

import pytest

from domain.field.fault import Fault
from domain.policy.error_codes import classify
from tests.unit.ingest.ocpi.objects import Imported, at, imported, reserve_now

URL = reserve_now()["response_url"]
FAILURES = {
    "EVSE_OCCUPIED": "SPOT_OCCUPIED",
    "EVSE_INOPERATIVE": "SPOT_UNAVAILABLE",
    "FAILED": "RESERVATION_NOT_CONFIRMED",
    "TIMEOUT": "RESERVATION_NOT_CONFIRMED",
    "REJECTED": "RESERVATION_REJECTED",
    "NOT_SUPPORTED": "RESERVATION_REJECTED",
    "CANCELED_RESERVATION": "RESERVATION_LOST",
    "UNKNOWN_RESERVATION": "RESERVATION_LOST",
}


def result(code: str = "EVSE_OCCUPIED", **more: Any) -> dict[str, Any]:
    return {"result": code} | more


def sent(url: str, body: Any, **more: Any) -> dict[str, Any]:
    """A log's record of a request."""
    return {"method": "POST", "url": url, "body": body} | more


def reserved(*objects: Any) -> Imported:
    return imported(*objects, party="FR*ABC")


def only(done: Imported) -> Fault:
    [fault] = done.faults
    return fault


@pytest.mark.parametrize(("code", "error"), FAILURES.items())
def test_a_result_that_is_no_success_is_a_fault(code: str, error: str) -> None:
    """By the standard's code, which the catalogue maps to a failure of allocation. No evidence without a time."""
    done = reserved(reserve_now(), result(code))

    fault = only(done)
    assert (fault.spot_id, fault.connector_id, fault.reservation_id) == ("FR*ABC*E1", 1, "77")
    assert (fault.affected_user, fault.raw_code, classify(fault.taxonomy, fault.raw_code)) == (
        "DE-XYZ-C1",
        code,
        error,
    )
    assert fault.evidence == []
    assert (done.tally.accepted, done.tally.ignored) == (1, 1)


def test_success_is_no_fault() -> None:
    done = reserved(reserve_now(), result("ACCEPTED", timeout=30))
    assert (done.faults, done.ignored) == ([], {"command": 1, "command that was accepted": 1})


def test_results_find_their_commands_by_the_url_that_these_asked_for() -> None:
    """In any order: of two commands each gets its own."""
    other = reserve_now(response_url=URL + "8", reservation_id="78", evse_uid="E2")
    records = [
        sent("https://cpo.example/ocpi/2.2.1/commands/RESERVE_NOW", reserve_now(), response=result("ACCEPTED")),
        sent("https://cpo.example/ocpi/2.2.1/commands/RESERVE_NOW", other, response=result("REJECTED")),
        sent(URL, result("EVSE_INOPERATIVE"), timestamp=at(3)),
    ]
    for order in permutations(records):
        done = reserved(*order)
        assert {(fault.spot_id, fault.raw_code) for fault in done.faults} == {
            ("FR*ABC*E1", "EVSE_INOPERATIVE"),
            ("FR*ABC*E2", "REJECTED"),
        }


def test_a_log_tells_when_it_was_answered() -> None:
    """The result itself states no time, so that of its reception counts."""
    done = reserved(reserve_now(), sent(URL, result(), timestamp=at(3)))
    assert (only(done).occurred_at.minute, only(done).time_quality) == (3, "received")
    assert only(done).evidence == [
        {
            "kind": "reservation_response",
            "reservation": "77",
            "status": "EVSE_OCCUPIED",
            "time": only(done).occurred_at.isoformat(),
        }
    ]


def test_a_result_that_carries_its_reservation_needs_no_command() -> None:
    """As partners enrich it."""
    done = reserved(result(command="RESERVE_NOW", reservation_id=5, evse_uid="E9", message=[{"text": "Taken"}]))
    assert (only(done).spot_id, only(done).reservation_id, only(done).info) == ("FR*ABC*E9", "5", "Taken")


def test_a_result_with_the_number_of_a_reservation_finds_it() -> None:
    done = reserved(reserve_now(), reserve_now(reservation_id="78", evse_uid="E2"), result(reservation_id="78"))
    assert only(done).spot_id == "FR*ABC*E2"


def test_a_result_that_fits_several_commands_blames_none() -> None:
    """Neither by order nor by an URL that all of them asked for."""
    done = reserved(reserve_now(), reserve_now(reservation_id="78", evse_uid="E2"), sent(URL, result()), result())
    assert (done.faults, done.reasons) == ([], ["UNKNOWN_COMMAND", "UNKNOWN_COMMAND"])


def test_a_result_without_any_command_is_refused() -> None:
    assert reserved(result()).reasons == ["UNKNOWN_COMMAND"]


def test_a_reservation_of_no_spot_in_particular_blames_none() -> None:
    """OCPI lets the operator choose the EVSE."""
    done = reserved(reserve_now(evse_uid=None), result())
    assert (done.faults, done.reasons) == ([], ["MISSING_FIELD"])


def test_the_reference_that_session_and_cdr_share_names_the_reservation() -> None:
    assert only(reserved(reserve_now(authorization_reference="A-1"), result())).reservation_id == "A-1"


@pytest.mark.parametrize("code", ["REJECTED", "FAILED", "UNKNOWN_RESERVATION"])
def test_only_a_lost_reservation_makes_a_failed_cancellation_a_fault(code: str) -> None:
    """One that could not be cancelled still stands."""
    cancel = {"response_url": URL + "9", "reservation_id": "77"}
    done = reserved(reserve_now(), cancel, sent(URL + "9", result(code)))
    assert [fault.raw_code for fault in done.faults] == (["UNKNOWN_RESERVATION"] if code[0] == "U" else [])


def test_results_of_other_commands_are_no_faults() -> None:
    """A session that did not start is no failed reservation."""
    start = {"response_url": URL, "token": {"uid": "1"}, "location_id": "L1", "evse_uid": "E1"}
    done = reserved(
        sent("https://cpo.example/ocpi/2.2.1/commands/START_SESSION", start), sent(URL, result("FAILED"))
    )
    assert (done.faults, done.tally.ignored) == ([], 2)


def test_the_time_of_a_booking_without_an_offset_is_utc() -> None:
    done = imported(
        {"reservation_status": "FAILED", "id": "B1", "evse_uid": "E1", "last_updated": "2026-04-01T08:07:00"}
    )
    assert (only(done).occurred_at.isoformat(), only(done).time_quality) == (
        "2026-04-01T08:07:00+00:00",
        "stated",
    )


@pytest.mark.parametrize(
    ("status", "more", "error"),
    [
        ("FAILED", {}, "RESERVATION_NOT_CONFIRMED"),
        ("REJECTED", {}, "RESERVATION_REJECTED"),
        ("CANCELED", {"canceled": {"who_canceled": "CPO"}}, "RESERVATION_LOST"),
        ("CANCELED", {"canceled": {"who_canceled": "EMSP"}}, None),
        ("CANCELED", {}, None),
        ("NO_SHOW", {}, None),
        ("FULFILLED", {}, None),
    ],
)
def test_bookings_of_ocpi_2_3(status: str, more: dict[str, Any], error: str | None) -> None:
    """Only what the operator failed is a fault, at the moment it was reported."""
    booking = {
        "country_code": "FR",
        "party_id": "ABC",
        "id": "B1",
        "location_id": "L1",
        "evse_uid": "E1",
        "booking_tokens": [{"uid": "04E1", "contract_id": "DE-XYZ-C1"}],
        "reservation_status": status,
        "last_updated": at(7),
    }
    done = imported(booking | more)
    assert [classify(fault.taxonomy, fault.raw_code) for fault in done.faults] == ([error] if error else [])
    assert all((fault.occurred_at.minute, fault.affected_user) == (7, "DE-XYZ-C1") for fault in done.faults)


BOOKED = {
    "country_code": "FR",
    "party_id": "ABC",
    "id": "B2",
    "location_id": "L1",
    "booking_option": {"evse_uid": "E1", "connector_id": "2"},
    "period": {"start_date_time": "2026-04-01T10:00:00Z", "end_date_time": "2026-04-01T11:00:00Z"},
    "reservation_status": "FAILED",
    "last_updated": "2026-04-01T08:00:00Z",
}


def test_a_booking_names_its_evse_in_its_option_and_fails_when_it_was_booked_for() -> None:
    """That is when the spot could not be had."""
    fault = only(imported(BOOKED))
    place = (fault.spot_id, fault.connector_id, fault.occurred_at.isoformat())
    assert place == ("FR*ABC*E1", 2, "2026-04-01T10:00:00+00:00")


def test_a_booking_for_a_day_far_off_fails_when_that_was_reported() -> None:
    later = {"start_date_time": "2026-05-01T10:00:00Z", "end_date_time": "2026-05-01T11:00:00Z"}
    assert only(imported(BOOKED | {"period": later})).occurred_at.isoformat() == "2026-04-01T08:00:00+00:00"


def test_a_cancelled_booking_says_why() -> None:
    cancelled = {"who_canceled": "CPO", "cancellation_reason": "BROKEN_CHARGER"}
    assert (
        only(imported(BOOKED | {"reservation_status": "CANCELED", "canceled": cancelled})).info == "BROKEN_CHARGER"
    )
