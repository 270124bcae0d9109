"""Builds the usage record of a transaction, for either version of OCPP."""

from collections.abc import Callable
from typing import Any, Final

from ingest.cloudevents.types import USAGE_RECORDED
from ingest.ocpp.frame import Frame, time_or_none
from ingest.ocpp.meter_values import register_kwh
from ingest.ocpp.station import ChargingTransaction

_LONGEST_TEXT: Final = 200
_READABLE: Final[dict[str, Callable[[Any], object]]] = {
    "meterStart": lambda value: register_kwh(value) is not None,
    "meterStop": lambda value: register_kwh(value) is not None,
    "timestamp": time_or_none,
}


def usage(frame: Frame, transaction: ChargingTransaction, **ended: Any) -> dict[str, Any]:
    """Builds the usage event of a transaction from this frame.

    Its id is the session's, so a stop that is sent twice is one message.
    """
    data = {
        "spot_id": frame.station,
        "session_id": transaction.session_id,
        "connector_id": transaction.connector,
        "started_at": transaction.started_at,
        "meter_start_kwh": transaction.meter_start,
        "user": transaction.user,
        "reservation_id": transaction.reservation_id,
        "samples": [*transaction.samples, *_flaws(frame, transaction), *transaction.signed_notes] or None,
        "signed": transaction.signed or None,
        **ended,
    }
    known = {name: value for name, value in data.items() if value is not None}
    return frame.event(USAGE_RECORDED, f"transaction:{transaction.session_id}", known)


def _flaws(frame: Frame, transaction: ChargingTransaction) -> list[dict[str, Any]]:
    """Lists values that a record cannot hold, and departures from the standard, as evidence."""
    frames = [frame] if transaction.start in (None, frame) else [transaction.start, frame]
    unreadable = [
        {"unreadable": field, "text": str(said.payload[field])[:_LONGEST_TEXT]}
        for said in frames
        if said is not None
        for field, can_read in _READABLE.items()
        if said.payload.get(field) is not None and not can_read(said.payload[field])
    ]
    departures = dict.fromkeys((*transaction.flaws, *frame.flaws))
    return unreadable + [{"outside_standard": flaw} for flaw in departures]
