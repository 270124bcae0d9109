"""An answer goes to the call that it answers, whatever else bears the same unique id."""

from typing import Any

import pytest

from tests.unit.ingest.ocpp.rows import answer, at, call, data, ingested, read, refusal, start, status, stop


def reserve(second: int, uid: str = "5", **more: Any) -> list[Any]:
    fields = {"connectorId": 2, "expiryDate": at(900), "idTag": "TAG", "reservationId": 7}
    return call(second, uid, "ReserveNow", **(fields | more))


def codes(*rows: list[Any]) -> list[str]:
    return [fault["error"]["code"] for fault in data(read(*rows), "fault.raised")]


OCCUPIED = answer(9, "5", status="Occupied")


def test_the_answer_of_another_station_answers_nothing() -> None:
    """Every station numbers by itself."""
    other = [answer(1, "5", station="CH-2", status="Rejected"), refusal(2, "5", "InternalError", station="CH-2")]
    assert codes(reserve(0), *other, OCCUPIED) == ["Occupied"]


@pytest.mark.parametrize(
    ("rival", "its_answer"),
    [
        (call(1, "5", "DataTransfer", vendorId="x"), answer(2, "5", status="Rejected")),
        (
            call(1, "5", "BootNotification", chargePointVendor="x", chargePointModel="y"),
            answer(2, "5", status="Rejected", currentTime=at(2), interval=300),
        ),
        (call(1, "5", "SecurityEventNotification", type="x"), refusal(2, "5", "NotSupported")),
        (status(1, "Available", "NoError", uid="5"), refusal(2, "5", "InternalError")),
        (call(1, "5", "ChangeAvailability", connectorId=1, type="Operative"), answer(2, "5", status="Rejected")),
        (start(1, uid="5"), refusal(2, "5", "InternalError")),
    ],
    ids=["DataTransfer", "BootNotification", "not supported", "error", "one of its own side", "StartTransaction"],
)
def test_a_later_call_with_the_unique_id_has_its_own_answer(rival: list[Any], its_answer: list[Any]) -> None:
    """A status or an error means the latest call that may be answered so; the next is the reservation's."""
    assert codes(reserve(0), rival, its_answer, OCCUPIED) == ["Occupied"]


def test_a_later_call_that_cannot_be_answered_so_does_not_take_the_answer() -> None:
    """No DataTransfer is Occupied, no Heartbeat has a status; words that are no name are no action."""
    rivals = [
        call(1, "5", "DataTransfer", vendorId="x"),
        call(2, "5", "Heartbeat"),
        call(3, "5", "../../../ocpp/v16/schemas/Reset"),
        call(4, "5", "Unheard"),
    ]
    assert codes(reserve(0), *rivals, OCCUPIED) == ["Occupied"]


def test_a_call_that_was_answered_takes_no_second_answer() -> None:
    """The error after the notification's own answer is the reservation's."""
    rows = [status(1, "Available", "NoError", uid="5"), answer(2, "5"), refusal(3, "5", "InternalError")]
    assert codes(reserve(0), *rows) == ["RESERVATION_NOT_CONFIRMED"]


@pytest.mark.parametrize("reserved_first", [True, False])
def test_calls_of_both_sides_with_one_unique_id_wait_for_their_own_answers(reserved_first: bool) -> None:
    """A reservation and a transaction, in whatever order: neither forgets the other."""
    asked = [reserve(0), start(1, uid="5")] if reserved_first else [start(0, uid="5"), reserve(1)]
    named = answer(2, "5", transactionId=9, idTagInfo={"status": "Accepted"})
    batch, tally = ingested(read(*asked, named, OCCUPIED, stop(20, 9)))
    assert [fault.raw_code for fault in batch.faults] == ["Occupied"]
    assert [(record.session_id, record.energy_kwh) for record in batch.usage] == [("9", 2.5)]
    assert tally.refused == 0


def test_a_later_reservation_with_the_unique_id_has_the_answer() -> None:
    """What was asked before it and its rivals count no more."""
    rows = [reserve(0), call(1, "5", "DataTransfer", vendorId="x"), reserve(2, reservationId=8)]
    [fault] = data(read(*rows, answer(3, "5", status="Rejected")), "fault.raised")
    assert fault["reservation_id"] == "8"
