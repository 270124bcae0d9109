"""Reservations that are refused, unanswered or lost become faults; kept ones give none."""

from typing import Any

import pytest

from domain.policy.error_codes import classify
from ingest.files.importer import ImportTally
from tests.unit.ingest.ocpp.rows import answer, at, call, data, ingested, read, refusal, start, status


def reserve(second: int = 0, uid: str = "r", **more: Any) -> list[Any]:
    fields = {"connectorId": 2, "expiryDate": at(900), "idTag": "TAG", "reservationId": 7}
    return call(second, uid, "ReserveNow", **(fields | more))


def reserve_v2(second: int = 0) -> list[Any]:
    token = {"idToken": "TAG", "type": "ISO14443"}
    return call(second, "r", "ReserveNow", id=7, expiryDateTime=at(900), idToken=token, evseId=2)


def cancel(second: int) -> list[Any]:
    return call(second, "c", "CancelReservation", reservationId=7)


def faults(*rows: list[Any]) -> list[dict[str, Any]]:
    return data(read(*rows), "fault.raised")


class TestReserveNow:
    @pytest.mark.parametrize("ask", [reserve(), reserve_v2()])
    @pytest.mark.parametrize(
        ("status", "code"),
        [
            ("Faulted", "RESERVATION_NOT_CONFIRMED"),
            ("Occupied", "SPOT_OCCUPIED"),
            ("Rejected", "RESERVATION_REJECTED"),
            ("Unavailable", "SPOT_UNAVAILABLE"),
            ("Busy", "OTHER"),
        ],
    )
    def test_a_result_that_is_not_accepted_is_a_fault(self, ask: list[Any], status: str, code: str) -> None:
        """With whose reservation it was, where, and the answer as evidence; in both versions."""
        [fault] = faults(ask, answer(2, "r", status=status))
        assert (fault["error"]["code"], classify(**_error(fault))) == (status, code)
        assert (fault["connector_id"], fault["reservation_id"], fault["affected_user"]) == (2, "7", "TAG")
        [evidence] = fault["evidence"]
        assert (evidence["kind"], evidence["status"]) == ("reservation_response", status)
        assert (evidence["requested_at"], evidence["answered_at"]) == (at(0), at(2))
        assert evidence["time"] == at(2).replace(".000Z", "+00:00")

    def test_an_accepted_one_gives_no_fault(self) -> None:
        """Both frames are accounted for."""
        batch, tally = ingested(read(reserve(), answer(1, "r", status="Accepted")))
        assert (batch.faults, tally) == ([], ImportTally(read=2, accepted=1, refused=0, ignored=1))

    def test_one_answered_by_an_error_was_not_confirmed(self) -> None:
        """The station's own words are kept."""
        [fault] = faults(reserve(), refusal(1, "r", "InternalError", "no memory"))
        assert fault["error"]["code"] == "RESERVATION_NOT_CONFIRMED"
        assert fault["error"]["info"] == "CALLERROR InternalError: no memory"

    @pytest.mark.parametrize("station", ["CH-1", "CH-2"])
    def test_one_that_nobody_answered_was_not_confirmed(self, station: str) -> None:
        """Known by a later frame, of this station or at the log's end by any."""
        [fault] = faults(reserve(), call(61, "h", "Heartbeat", station=station))
        assert fault["error"]["info"] == "no answer within 60 seconds"

    def test_one_that_the_log_ends_upon_may_yet_be_answered(self) -> None:
        """The next log may hold the answer."""
        assert not faults(reserve(), call(30, "h", "Heartbeat"))

    def test_an_answer_to_another_call_with_the_same_id_is_recognised_by_its_form(self) -> None:
        """Both sides number their calls from one."""
        rows = [reserve(uid="5"), status(1, "Available", "NoError", uid="5"), answer(2, "5")]
        [fault] = faults(*rows, answer(3, "5", status="Occupied"))
        assert fault["error"]["code"] == "Occupied"

    def test_the_reason_of_version_two_is_kept(self) -> None:
        """In statusInfo."""
        info = {"reasonCode": "CableLeft", "additionalInfo": "A cable is plugged in"}
        [fault] = faults(reserve_v2(), answer(1, "r", status="Occupied", statusInfo=info))
        assert fault["error"]["info"] == "CableLeft: A cable is plugged in"


class TestCancelReservation:
    def test_a_station_that_does_not_know_what_it_accepted_has_lost_it(self) -> None:
        """Rejected, while the reservation should still stand."""
        kept = [reserve(), answer(1, "r", status="Accepted")]
        [fault] = faults(*kept, cancel(60), answer(61, "c", status="Rejected"))
        assert (fault["error"]["code"], fault["connector_id"], fault["affected_user"]) == (
            "RESERVATION_LOST",
            2,
            "TAG",
        )

    @pytest.mark.parametrize(
        "rows",
        [
            [],
            [reserve(), answer(1, "r", status="Accepted"), start(5, reservationId=7)],
            [reserve(expiryDate=at(30)), answer(1, "r", status="Accepted")],
        ],
    )
    def test_one_that_is_unknown_used_or_over_is_no_fault(self, rows: list[Any]) -> None:
        """The station is right to know nothing of it."""
        assert not faults(*rows, cancel(60), answer(61, "c", status="Rejected"))

    def test_an_accepted_one_ends_it(self) -> None:
        """A second one is rejected for a good reason."""
        rows = [reserve(), answer(1, "r", status="Accepted"), cancel(60), answer(61, "c", status="Accepted")]
        assert not faults(*rows, cancel(200), answer(201, "c", status="Rejected"))


class TestReservationStatusUpdate:
    @pytest.mark.parametrize(
        ("given", "code"),
        [("Expired", "RESERVATION_LOST"), ("Removed", "RESERVATION_LOST"), ("NoTransaction", "SESSION_MISSING")],
    )
    def test_a_reservation_that_the_station_gave_up_is_a_fault(self, given: str, code: str) -> None:
        """With the details of its ReserveNow."""
        rows = [reserve_v2(), answer(1, "r", status="Accepted")]
        update = call(9, "u", "ReservationStatusUpdate", reservationId=7, reservationUpdateStatus=given)
        [fault] = faults(*rows, update)
        assert (fault["error"]["code"], classify(**_error(fault))) == (given, code)
        assert (fault["reservation_id"], fault["connector_id"], fault["affected_user"]) == ("7", 2, "TAG")

    def test_one_whose_reservation_was_never_seen_concerns_the_whole_spot(self) -> None:
        """A log may begin after it."""
        [fault] = faults(
            call(0, "u", "ReservationStatusUpdate", reservationId=7, reservationUpdateStatus="Removed")
        )
        assert (fault["reservation_id"], fault["connector_id"]) == ("7", 0)


def _error(fault: dict[str, Any]) -> dict[str, str]:
    return {"taxonomy": fault["error"]["taxonomy"], "raw_code": fault["error"]["code"]}
