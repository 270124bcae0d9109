"""Transactions as usage records. Source: OCPP 1.6 edition 2, sections 4.8, 4.10 and 7.31 (MeterValue)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from domain.errors import MalformedMessage
from ingest import energy
from ingest.items import Refused
from ingest.messages import USAGE_RECORDED
from ingest.ocpp_log import Frame

_ENERGY_REGISTER: Final = "Energy.Active.Import.Register"
_MOST_SAMPLES: Final = 100

Settled = tuple[Frame, list[dict[str, Any]]] | Refused
"""A frame with the events it gives, or its refusal."""


@dataclass(slots=True)
class _Transaction:
    """A transaction that has its id. `session_id` tells it from others of the station with the same one."""

    start: Frame
    session_id: str
    stopped: bool = False


class Transactions:
    """The log's transactions: started, named by the central system's answer, and stopped.

    A StartTransaction is settled when its fate is known: by its stop, whose frame gives the usage record; by the
    end of the log, where it gives a record without an end itself; or refused, when no answer named its session.
    """

    def __init__(self) -> None:
        self._unanswered: dict[tuple[str, str], Frame] = {}
        self._answered: dict[tuple[str, str], _Transaction] = {}
        self._used_ids: set[tuple[str, str]] = set()

    def start(self, frame: Frame) -> Iterator[Settled]:
        """A StartTransaction; sent again until it is answered, it is still one start."""
        key = (frame.station, frame.unique_id)
        earlier = self._unanswered.get(key)
        if earlier is not None and earlier.payload == frame.payload:
            yield frame, []
            return
        if earlier is not None:
            yield _never_answered(earlier)
        self._unanswered[key] = frame

    def answer(self, frame: Frame) -> Iterator[Settled]:
        """Any answer; those to a StartTransaction name the transaction."""
        key = (frame.station, frame.unique_id)
        if key in self._unanswered and "transactionId" in frame.payload:
            yield from self._begin(self._unanswered.pop(key), str(frame.payload["transactionId"]))
        yield frame, []

    def stop(self, frame: Frame) -> Iterator[Settled]:
        """A StopTransaction; without its start in the log, it gives what it knows by itself."""
        key = (frame.station, str(frame.payload.get("transactionId", "")))
        transaction = self._answered.get(key)
        if transaction is None:
            self._used_ids.add(key)
            yield frame, [_usage(frame, key[1], None, frame)]
            return
        if not transaction.stopped:
            transaction.stopped = True
            yield transaction.start, []
        yield frame, [_usage(frame, transaction.session_id, transaction.start, frame)]

    def finish(self) -> Iterator[Settled]:
        """Starts that the log's end leaves without a stop or without an answer."""
        yield from (_unstopped(each) for each in self._answered.values() if not each.stopped)
        yield from (_never_answered(start) for start in self._unanswered.values())

    def _begin(self, start: Frame, transaction_id: str) -> Iterator[Settled]:
        key = (start.station, transaction_id)
        known = self._answered.get(key)
        if known is not None and known.start.payload == start.payload:
            yield start, []
            return
        if known is not None and not known.stopped:
            yield _unstopped(known)
        is_reused = key in self._used_ids
        self._used_ids.add(key)
        session_id = f"{transaction_id}@{_moment(start)}" if is_reused else transaction_id
        self._answered[key] = _Transaction(start, session_id)


def _never_answered(start: Frame) -> Refused:
    sentence = "No answer gave this StartTransaction a transactionId, so its session has no name."
    return Refused(start.raw, MalformedMessage("MISSING_FIELD", sentence))


def _unstopped(transaction: _Transaction) -> Settled:
    start = transaction.start
    return start, [_usage(start, transaction.session_id, start, None)]


def _usage(frame: Frame, session_id: str, start: Frame | None, stop: Frame | None) -> dict[str, Any]:
    """The usage record of a transaction. Its id is the session's, so a stop sent twice is one message."""
    began, ended = start.payload if start else {}, stop.payload if stop else {}
    data = {
        "spot_id": frame.station,
        "session_id": session_id,
        "connector_id": began.get("connectorId", 0),
        "started_at": _moment(start),
        "ended_at": _moment(stop),
        "meter_start_kwh": energy.kwh(began.get("meterStart")),
        "meter_stop_kwh": energy.kwh(ended.get("meterStop")),
        "energy_kwh": energy.moved_kwh(began.get("meterStart"), ended.get("meterStop")),
        "user": began.get("idTag") or ended.get("idTag"),
        "stop_reason": ended.get("reason"),
        "samples": _samples(ended.get("transactionData")),
    }
    known = {name: value for name, value in data.items() if value is not None}
    return frame.event(USAGE_RECORDED, f"transaction:{session_id}", known)


def _moment(frame: Frame | None) -> str | None:
    if frame is None:
        return None
    return frame.stated_at or frame.logged_at or None


def _samples(transaction_data: Any) -> list[dict[str, Any]] | None:
    """The energy register over the transaction, from the StopTransaction's own meter values."""
    samples = [
        {"at": meter_value.get("timestamp"), "register_kwh": _register_kwh(sampled)}
        for meter_value in _objects(transaction_data)
        for sampled in _objects(meter_value.get("sampledValue"))
        if _is_energy_register(sampled)
    ]
    return samples[:_MOST_SAMPLES] or None


def _objects(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _is_energy_register(sampled: dict[str, Any]) -> bool:
    return sampled.get("measurand", _ENERGY_REGISTER) == _ENERGY_REGISTER and not sampled.get("phase")


def _register_kwh(sampled: dict[str, Any]) -> Any:
    value = sampled.get("value")
    return value if sampled.get("unit", "Wh") == "kWh" else energy.kwh(value)
