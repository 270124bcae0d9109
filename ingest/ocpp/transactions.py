"""Transactions of OCPP 1.6 as usage records. Source: OCPP 1.6 edition 2, sections 4.7, 4.8 and 4.10.

A StartTransaction is settled when its fate is known: by its stop, whose frame gives the usage record; by the end
of the log, where it gives a record without an end itself; or refused, when no answer named its session.

Its registers are those that start and stop state. What either lacks is taken from the readings whose context is
`Transaction.Begin` or `Transaction.End`.
"""

from collections.abc import Iterator
from typing import Any

from domain.field.usage import BEGIN, END
from ingest.ocpp import energy, meter_values, signed_values
from ingest.ocpp.frame import Frame, connector, name_or_none
from ingest.ocpp.station import ChargingTransaction, Settled, Station
from ingest.ocpp.usage import usage


def start(station: Station, frame: Frame) -> Iterator[Settled]:
    """Reads a StartTransaction, whose answer will name the transaction."""
    station.reservations.pop(name_or_none(frame.payload.get("reservationId")) or "", None)
    return station.await_answer(frame)


def started(station: Station, call: Frame, answer: Frame) -> Iterator[Settled]:
    """Reads the answer to a StartTransaction, which names the transaction."""
    transaction_id = name_or_none(answer.payload["transactionId"]) or ""
    known = station.transactions.get(transaction_id)
    if known is not None and known.start is not None and known.start.payload == call.payload:
        yield call, []
        return
    if known is not None and not known.stopped:
        yield unstopped(known)
    is_reused = transaction_id in station.used_ids
    began = call.stated_at or call.logged_at
    session_id = f"{transaction_id}@{began}" if is_reused else transaction_id
    forgotten = station.begin(transaction_id, _transaction(session_id, call, began))
    if forgotten is not None and not forgotten.stopped:
        yield unstopped(forgotten)


def measured(station: Station, frame: Frame) -> Iterator[Settled]:
    """Adds MeterValues to their transaction, if it is known and running."""
    transaction = station.transactions.get(_transaction_id(frame))
    if transaction is not None and not transaction.stopped:
        meter_values.add(transaction.samples, meter_values.samples(frame.payload.get("meterValue")))
        signed_values.learn(transaction, frame.payload.get("meterValue"))
    yield frame, []


def stop(station: Station, frame: Frame) -> Iterator[Settled]:
    """Reads a StopTransaction; without its start, it gives what it says by itself."""
    transaction_id = _transaction_id(frame)
    transaction = station.transactions.get(transaction_id)
    if transaction is None:
        station.use_id(transaction_id)
        transaction = ChargingTransaction(transaction_id, user=name_or_none(frame.payload.get("idTag")))
    elif not transaction.stopped and transaction.start is not None:
        transaction.stopped = True
        yield transaction.start, []
    meter_values.add(transaction.samples, meter_values.samples(frame.payload.get("transactionData")))
    signed_values.learn(transaction, frame.payload.get("transactionData"))
    yield frame, [_stopped(frame, transaction)]


def unstopped(transaction: ChargingTransaction) -> Settled:
    """Settles a transaction whose end was never seen. Its start, which it must have, gives the record."""
    assert transaction.start is not None
    return transaction.start, [usage(transaction.start, transaction)]


def _transaction(session_id: str, call: Frame, began: str) -> ChargingTransaction:
    payload = call.payload
    return ChargingTransaction(
        session_id,
        start=call,
        connector=connector(payload.get("connectorId", 0)),
        user=name_or_none(payload.get("idTag")),
        reservation_id=name_or_none(payload.get("reservationId")),
        started_at=began or None,
        meter_start=meter_values.register_kwh(payload.get("meterStart")),
        flaws=list(call.flaws),
    )


def _stopped(frame: Frame, transaction: ChargingTransaction) -> dict[str, Any]:
    begin, end = (
        meter_values.first_of(transaction.samples, BEGIN),
        meter_values.last_of(transaction.samples, END),
    )
    stop = meter_values.register_kwh(frame.payload.get("meterStop"))
    stop = end if stop is None else stop
    # Stations send a register that begins at 0 beside that of a lifetime: only one that ends with it is the same.
    if transaction.meter_start is None and end is not None and end == stop:
        transaction.meter_start = begin
    return usage(
        frame,
        transaction,
        ended_at=frame.stated_at or frame.logged_at or None,
        meter_stop_kwh=stop,
        energy_kwh=energy.moved_kwh(transaction.meter_start, stop),
        stop_reason=name_or_none(frame.payload.get("reason")),
    )


def _transaction_id(frame: Frame) -> str:
    return name_or_none(frame.payload.get("transactionId")) or ""
