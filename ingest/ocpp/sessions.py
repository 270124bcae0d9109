"""Transactions of OCPP 2.0.1 and 2.1 as usage records.

Source: OCPP 2.0.1 part 2, E and J (TransactionEvent). The station names the transaction itself. Its frames are
settled as in 1.6: the first by the last, which gives the usage record, or by the end of the log.
"""

from collections.abc import Iterator
from typing import Any

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
    meter_values.add(transaction.samples, meter_values.samples(payload.get("meterValue")))
    signed_values.learn(transaction, payload.get("meterValue"))
    # The first reading is the start only if the session's start was seen; a lone last one is its stop.
    readings = len(transaction.samples) - (payload.get("eventType") == "Ended")
    if transaction.meter_start is None and transaction.started_at and readings > 0:
        transaction.meter_start = meter_values.number(transaction.samples[0]["register_kwh"])
    transaction.flaws += [flaw for flaw in frame.flaws if flaw not in transaction.flaws]


def _ended(frame: Frame, transaction: ChargingTransaction) -> dict[str, Any]:
    stop = meter_values.number(transaction.samples[-1]["register_kwh"]) if transaction.samples else None
    start = transaction.meter_start
    return usage(
        frame,
        transaction,
        ended_at=frame.stated_at or frame.logged_at or None,
        meter_stop_kwh=stop,
        energy_kwh=None if start is None or stop is None else energy.moved_kwh(1000 * start, 1000 * stop),
        stop_reason=name_or_none(inner(frame.payload, "transactionInfo", "stoppedReason")),
    )
