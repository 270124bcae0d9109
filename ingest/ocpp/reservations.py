"""Faults of reservations that a station refused, did not answer, or lost.

Sources: OCPP 1.6 edition 2, sections 5.2 and 5.13; OCPP 2.0.1 part 2, H01 to H04.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from ingest.cloudevents.types import FAULT_RAISED
from ingest.ocpp.error_codes import OCPP_16, OCPP_201
from ingest.ocpp.faults import fault
from ingest.ocpp.frame import ERROR, Frame, connector, inner, moment, name_or_none
from ingest.ocpp.schemas import is_v2
from ingest.ocpp.station import Reservation, Settled, Station

# Most central systems wait 30 or 60 seconds.
ANSWER_WITHIN: Final = timedelta(seconds=60)
_ACCEPTED: Final = "Accepted"
_REJECTED: Final = "Rejected"
_OURS: Final = "spotclaim"


def ask(station: Station, frame: Frame) -> Iterator[Settled]:
    """Keeps a ReserveNow or CancelReservation until its answer, or its time-out."""
    return station.await_answer(frame)


def reserved(station: Station, call: Frame, answer: Frame) -> Iterator[Settled]:
    """Reads the answer to a ReserveNow: accepted, or a fault named by the status."""
    if answer.kind == ERROR:
        words = (name_or_none(answer.payload.get(key)) for key in ("errorCode", "errorDescription"))
        yield call, [_unconfirmed(call, "CALLERROR " + ": ".join(word for word in words if word), answer)]
        return
    status = name_or_none(answer.payload.get("status")) or ""
    if status == _ACCEPTED:
        station.keep_reservation(_id(call) or "", _reservation(call))
        yield call, []
        return
    details = (inner(answer.payload, "statusInfo", key) for key in ("reasonCode", "additionalInfo"))
    error = {"taxonomy": _taxonomy(call), "code": status or "(none)"}
    if info := ": ".join(str(detail) for detail in details if detail):
        error["info"] = info
    yield (
        call,
        [_event(call, "", error, _reservation(call), _id(call), evidence=_response(call, error["code"], answer))],
    )


def unanswered(call: Frame) -> Settled:
    """Settles a ReserveNow or CancelReservation that timed out."""
    if call.action != "ReserveNow":
        return call, []
    return call, [_unconfirmed(call, f"no answer within {ANSWER_WITHIN.seconds} seconds", None)]


def cancelled(station: Station, call: Frame, answer: Frame) -> Iterator[Settled]:
    """Reads the answer to a CancelReservation.

    A station that does not know a reservation that it accepted has lost it.
    """
    reservation = station.reservations.pop(_id(call) or "", None)
    is_lost = answer.payload.get("status") == _REJECTED and reservation is not None
    if not is_lost or reservation is None or _has_expired(reservation, call):
        yield call, []
        return
    error = {"taxonomy": _OURS, "code": "RESERVATION_LOST", "info": "CancelReservation Rejected"}
    evidence = _response(call, _REJECTED, answer)
    yield call, [_event(call, "", error, reservation, _id(call), evidence=evidence)]


def updated(station: Station, frame: Frame) -> Iterator[Settled]:
    """Reads a ReservationStatusUpdate: the station gave up a reservation."""
    reservation_id = _id(frame)
    status = name_or_none(frame.payload.get("reservationUpdateStatus")) or "(none)"
    reservation = station.reservations.pop(reservation_id or "", Reservation(0, None, None))
    error = {"taxonomy": OCPP_201, "code": status}
    yield frame, [_event(frame, "", error, reservation, reservation_id)]


def is_overdue(call: Frame, now: datetime) -> bool:
    """Tells whether a call has waited too long for its answer.

    A StartTransaction never has: it is repeated until it is answered.
    """
    waits = call.received_at is not None and now - call.received_at > ANSWER_WITHIN
    return waits and call.action != "StartTransaction"


def _id(frame: Frame) -> str | None:
    return name_or_none(frame.payload.get("reservationId", frame.payload.get("id")))


def _reservation(call: Frame) -> Reservation:
    payload = call.payload
    user = inner(payload, "idToken", "idToken") or payload.get("idTag")
    expires_at = payload.get("expiryDateTime") or payload.get("expiryDate")
    number = connector(payload.get("connectorId", payload.get("evseId", 0)) or 0)
    return Reservation(number, name_or_none(user), name_or_none(expires_at))


def _taxonomy(call: Frame) -> str:
    return OCPP_201 if is_v2(call.action, call.payload) else OCPP_16


def _has_expired(reservation: Reservation, call: Frame) -> bool:
    expires_at = moment(reservation.expires_at)
    return expires_at is not None and call.received_at is not None and expires_at <= call.received_at


def _unconfirmed(call: Frame, info: str, answer: Frame | None) -> dict[str, Any]:
    error = {"taxonomy": _OURS, "code": "RESERVATION_NOT_CONFIRMED", "info": info}
    evidence = _response(call, info, answer)
    return _event(call, ":unconfirmed", error, _reservation(call), _id(call), evidence=evidence)


def _response(call: Frame, status: str, answer: Frame | None) -> list[dict[str, Any]] | None:
    """Returns the answer, or that there was none, as evidence; without any time in the log it is none."""
    moment_known = (answer and answer.received_at) or call.received_at
    if moment_known is None:
        return None
    response = {
        "kind": "reservation_response",
        "reservation_id": _id(call),
        "status": status,
        "time": moment_known.isoformat(),
        "requested_at": call.logged_at or None,
        "answered_at": answer.logged_at if answer else None,
    }
    return [{name: value for name, value in response.items() if value is not None}]


def _event(
    frame: Frame,
    suffix: str,
    error: dict[str, str],
    reservation: Reservation,
    reservation_id: str | None,
    **more: Any,
) -> dict[str, Any]:
    who = {"reservation_id": reservation_id, "affected_user": reservation.user}
    data = fault(frame, reservation.connector, error, **who, **more)
    return frame.event(FAULT_RAISED, frame.moment_id + suffix, data)
