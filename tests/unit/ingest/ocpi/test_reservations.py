"""Reservations that failed become faults of the spot that was asked."""

from itertools import permutations
from typing import Any

import pytest

from domain.error_codes import classify
from domain.field.fault import Fault
from tests.unit.ingest.ocpi.told import Imported, at, imported, reserve_now

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


def only(told: Imported) -> Fault:
    [fault] = told.faults
    return fault


@pytest.mark.parametrize(("code", "error"), FAILURES.items())
def test_a_result_that_is_no_success_is_a_fault(code: str, error: str) -> None:
    """By the standard's code, which the catalogue maps to a failure of allocation."""
    told = reserved(reserve_now(), result(code))

    fault = only(told)
    assert (fault.spot_id, fault.connector_id, fault.reservation_id) == ("FR*ABC*E1", 1, "77")
    assert (fault.affected_user, fault.raw_code, classify(fault.taxonomy, fault.raw_code)) == (
        "DE-XYZ-C1",
        code,
        error,
    )
    assert fault.evidence == [{"kind": "reservation_response", "reservation": "77", "result": code}]
    assert (told.tally.accepted, told.tally.ignored) == (1, 1)


def test_success_is_no_fault() -> None:
    told = reserved(reserve_now(), result("ACCEPTED", timeout=30))
    assert (told.faults, told.ignored) == ([], {"command": 1, "command that was accepted": 1})


def test_results_find_their_commands_by_the_url_that_these_asked_for() -> None:
    """In any order: of two commands each gets its own."""
    other = reserve_now(response_url=URL + "8", reservation_id="78", evse_uid="E2")
    records = [
        sent("https://cpo.example/ocpi/2.2.1/commands/RESERVE_NOW", reserve_now(), response=result("ACCEPTED")),
        sent("https://cpo.example/ocpi/2.2.1/commands/RESERVE_NOW", other, response=result("REJECTED")),
        sent(URL, result("EVSE_INOPERATIVE"), timestamp=at(3)),
    ]
    for order in permutations(records):
        told = reserved(*order)
        assert {(fault.spot_id, fault.raw_code) for fault in told.faults} == {
            ("FR*ABC*E1", "EVSE_INOPERATIVE"),
            ("FR*ABC*E2", "REJECTED"),
        }


def test_a_log_tells_when_it_was_answered() -> None:
    """The result itself states no time, so that of its reception counts."""
    told = reserved(reserve_now(), sent(URL, result(), timestamp=at(3)))
    assert (only(told).occurred_at.minute, only(told).time_quality) == (3, "received")


def test_a_result_that_carries_its_reservation_needs_no_command() -> None:
    """As partners enrich it."""
    told = reserved(result(command="RESERVE_NOW", reservation_id=5, evse_uid="E9", message=[{"text": "Taken"}]))
    assert (only(told).spot_id, only(told).reservation_id, only(told).info) == ("FR*ABC*E9", "5", "Taken")


def test_a_result_with_the_number_of_a_reservation_finds_it() -> None:
    told = reserved(reserve_now(), reserve_now(reservation_id="78", evse_uid="E2"), result(reservation_id="78"))
    assert only(told).spot_id == "FR*ABC*E2"


def test_a_result_that_fits_several_commands_blames_none() -> None:
    """Neither by order nor by an URL that all of them asked for."""
    told = reserved(reserve_now(), reserve_now(reservation_id="78", evse_uid="E2"), sent(URL, result()), result())
    assert (told.faults, told.reasons) == ([], ["UNKNOWN_COMMAND", "UNKNOWN_COMMAND"])


def test_a_result_without_any_command_is_refused() -> None:
    assert reserved(result()).reasons == ["UNKNOWN_COMMAND"]


def test_a_reservation_of_no_spot_in_particular_blames_none() -> None:
    """OCPI lets the operator choose the EVSE."""
    told = reserved(reserve_now(evse_uid=None), result())
    assert (told.faults, told.reasons) == ([], ["MISSING_FIELD"])


def test_the_reference_that_session_and_cdr_share_names_the_reservation() -> None:
    assert only(reserved(reserve_now(authorization_reference="A-1"), result())).reservation_id == "A-1"


@pytest.mark.parametrize("code", ["REJECTED", "FAILED", "UNKNOWN_RESERVATION"])
def test_only_a_lost_reservation_makes_a_failed_cancellation_a_fault(code: str) -> None:
    """One that could not be cancelled still stands."""
    cancel = {"response_url": URL + "9", "reservation_id": "77"}
    told = reserved(reserve_now(), cancel, sent(URL + "9", result(code)))
    assert [fault.raw_code for fault in told.faults] == (["UNKNOWN_RESERVATION"] if code[0] == "U" else [])


def test_results_of_other_commands_are_no_faults() -> None:
    """A session that did not start is no failed reservation."""
    start = {"response_url": URL, "token": {"uid": "1"}, "location_id": "L1", "evse_uid": "E1"}
    told = reserved(
        sent("https://cpo.example/ocpi/2.2.1/commands/START_SESSION", start), sent(URL, result("FAILED"))
    )
    assert (told.faults, told.tally.ignored) == ([], 2)


def test_the_time_of_a_booking_without_an_offset_is_utc() -> None:
    told = imported(
        {"reservation_status": "FAILED", "id": "B1", "evse_uid": "E1", "last_updated": "2026-04-01T08:07:00"}
    )
    assert (only(told).occurred_at.isoformat(), only(told).time_quality) == ("2026-04-01T08:07:00+00:00", "stated")


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
    """Only what the operator failed is a fault, at the moment it was told."""
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
    told = imported(booking | more)
    assert [classify(fault.taxonomy, fault.raw_code) for fault in told.faults] == ([error] if error else [])
    assert all((fault.occurred_at.minute, fault.affected_user) == (7, "DE-XYZ-C1") for fault in told.faults)
