"""Transactions of OCPP 2.0.1 and 2.1 as usage records.

Source: OCPP 2.0.1 part 2, E and J (TransactionEvent). The station names the transaction itself. Its frames are
settled as in 1.6: the first by the last, which gives the usage record, or by the end of the log.

The registers at start and stop are the readings whose context says so, in whatever frame they come. Many stations
state no context, which the standard takes for a periodic sample. In the frame `Started` or `Ended` such a reading
is start or stop all the same. Others are samples, so a session whose begin was not read has no start register.
"""

from collections.abc import Iterator
from typing import Any

from domain.field.usage import BEGIN, END
from ingest.ocpp import energy, meter_values, signed_values
from ingest.ocpp.frame import Frame, connector, inner, name_or_none
from ingest.ocpp.station import ChargingTransaction, Settled, Station
from ingest.ocpp.transactions import unstopped
from ingest.ocpp.usage import usage


def transaction_event(station: Station, frame: Frame) -> Iterator[Settled]:
    """Reads a TransactionEvent: `Started` begins a session, `Ended` makes it a record.

    Each may carry meter values.
    """
    transaction_id = name_or_none(inner(frame.payload, "transactionInfo", "transactionId")) or ""
    kind = frame.payload.get("eventType")
    transaction = station.transactions.get(transaction_id)
    if transaction is not None and transaction.stopped:
        # Events that waited for the connection may arrive after the end.
        yield frame, [_ended(frame, transaction)] if kind == "Ended" else []
        return
    is_first = transaction is None
    transaction = transaction or ChargingTransaction(transaction_id)
    _learn(station, transaction, frame)
    if kind == "Ended":
        if transaction.start is not None:
            yield transaction.start, []
        transaction.stopped, transaction.start = True, None
        yield frame, [_ended(frame, transaction)]
    elif is_first:
        transaction.start = frame
    else:
        yield frame, []
    if is_first:
        forgotten = station.begin(transaction_id, transaction)
        if forgotten is not None and not forgotten.stopped:
            yield unstopped(forgotten)


def _learn(station: Station, transaction: ChargingTransaction, frame: Frame) -> None:
    """Adds what a frame says to its session. User, EVSE and reservation may come in any frame."""
    payload = frame.payload
    reservation_id = name_or_none(payload.get("reservationId"))
    station.reservations.pop(reservation_id or "", None)
    transaction.reservation_id = transaction.reservation_id or reservation_id
    transaction.connector = transaction.connector or connector(inner(payload, "evse", "id") or 0)
    transaction.user = transaction.user or name_or_none(inner(payload, "idToken", "idToken"))
    if payload.get("eventType") == "Started":
        transaction.started_at = frame.stated_at or frame.logged_at or None
    _measure(transaction, meter_values.samples(payload.get("meterValue")), payload.get("eventType"))
    signed_values.learn(transaction, payload.get("meterValue"))
    transaction.flaws += [flaw for flaw in frame.flaws if flaw not in transaction.flaws]


def _measure(transaction: ChargingTransaction, readings: list[dict[str, Any]], kind: Any) -> None:
    """Adds readings to their session, and takes its registers at start and stop from them."""
    meter_values.add(transaction.samples, readings)
    begin, end = meter_values.first_of(readings, BEGIN), meter_values.last_of(readings, END)
    if begin is None and kind == "Started":
        begin = meter_values.first_of(readings, None)
    if end is None and kind == "Ended":
        end = meter_values.last_of(readings, None)
    transaction.meter_start = begin if transaction.meter_start is None else transaction.meter_start
    transaction.meter_stop = transaction.meter_stop if end is None else end


def _ended(frame: Frame, transaction: ChargingTransaction) -> dict[str, Any]:
    start, stop = transaction.meter_start, transaction.meter_stop
    return usage(
        frame,
        transaction,
        ended_at=frame.stated_at or frame.logged_at or None,
        meter_stop_kwh=stop,
        energy_kwh=energy.moved_kwh(start, stop),
        stop_reason=name_or_none(inner(frame.payload, "transactionInfo", "stoppedReason")),
    )
