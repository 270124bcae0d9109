"""Writes reports as an OCPP 1.6J message log, the form that `spotclaim import ocpp` reads.

Source: OCPP 1.6 edition 2. Sessions give no StatusNotification: its `NoError` would clear whatever fault the
connector has. What stations never report, such as drivers' complaints, is not in the log; and no zone, since OCPP
has none.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import orjson

from ingest.simulator import repeats
from ingest.simulator.errors import OCPP
from ingest.simulator.fleet import SimulatedSpot
from ingest.simulator.moments import HOUR, rfc3339
from ingest.simulator.reports import Cleared, Form, Line, Raised, Registered, Report, Session

_ANSWERED_AFTER: Final = 40


class _Call(NamedTuple):
    """A request and its result. `name` is its unique id among those of the station."""

    at: int
    luck: float
    spot: SimulatedSpot
    name: str
    action: str
    asked: dict[str, Any]
    answered: dict[str, Any]


def _lines(report: Report) -> list[Line]:
    return [line for call in _CALLS[type(report)](report) for line in _frames(call)]


def _frames(call: _Call) -> list[Line]:
    """Writes the request and its result; a repeated request is first written unanswered."""
    unique_id = f"{call.spot.number + 1}-{call.name}"
    request = orjson.dumps([2, unique_id, call.action, call.asked])
    result = orjson.dumps([3, unique_id, call.answered])
    moments = repeats.arrivals(call.at, call.luck)
    requests = [
        Line(at, call.action, _row(at, call.spot, call.action, request), again=number > 0)
        for number, at in enumerate(moments)
    ]
    at = moments[-1] + _ANSWERED_AFTER
    return [*requests, Line(at, "answers", _row(at, call.spot, "", result))]


def _row(at: int, spot: SimulatedSpot, action: str, message: bytes) -> bytes:
    # In CSV a quotation mark within quotation marks is written twice; nothing else here needs quoting.
    quoted = message.replace(b'"', b'""')
    return b'%s,%s,%s,"%s"' % (rfc3339(at).encode(), spot.spot_id.encode(), action.encode(), quoted)


def _boot(report: Registered) -> Iterator[_Call]:
    model = report.spot.model
    asked = {
        "chargePointVendor": model.vendor,
        "chargePointModel": model.name,
        "firmwareVersion": report.spot.firmware,
    }
    answered = {"status": "Accepted", "currentTime": rfc3339(report.at), "interval": 300}
    yield _Call(report.at, report.luck, report.spot, "boot", "BootNotification", asked, answered)


def _session(session: Session) -> Iterator[_Call]:
    """Writes the calls of a session, all with its luck. A station that was offline keeps their order."""
    if session.reserved is not None:
        asked = _reservation(session.reserved, session.user, session.reservation)
        yield _call(session, session.reserved, "reserve", "ReserveNow", asked, {"status": "Accepted"})
    transaction = {"transactionId": session.transaction}
    answered = transaction | {"idTagInfo": {"status": "Accepted"}}
    yield _call(session, session.started, "start", "StartTransaction", _start(session), answered)
    middle = (session.started + session.ended) // 2
    yield _call(session, middle, "meter", "MeterValues", transaction | _metered(session, middle), {})
    if session.has_end:
        yield _call(session, session.ended, "stop", "StopTransaction", transaction | _stop(session), {})


def _call(
    session: Session, at: int, name: str, action: str, asked: dict[str, Any], answered: dict[str, Any]
) -> _Call:
    return _Call(at, session.luck, session.spot, f"{session.number}-{name}", action, asked, answered)


def _reservation(at: int, user: str | None, number: int | None) -> dict[str, Any]:
    return {"connectorId": 1, "expiryDate": rfc3339(at + HOUR), "idTag": user, "reservationId": number}


def _start(session: Session) -> dict[str, Any]:
    started = {
        "connectorId": 1,
        "idTag": session.user,
        "meterStart": session.register_wh,
        "timestamp": rfc3339(session.started),
    }
    return started | ({"reservationId": session.reservation} if session.reservation else {})


def _metered(session: Session, at: int) -> dict[str, Any]:
    register_wh = session.register_wh + session.moved_wh // 2
    sampled = {"value": str(register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    return {"connectorId": 1, "meterValue": [{"timestamp": rfc3339(at), "sampledValue": [sampled]}]}


def _stop(session: Session) -> dict[str, Any]:
    """Writes a StopTransaction.

    OCPP states energy by registers alone, so wrong energy is a wrong register here.
    """
    return {
        "idTag": session.user,
        "meterStop": session.register_wh + session.energy_wh,
        "timestamp": rfc3339(session.ended),
        "reason": "EVDisconnected",
    }


def _raised(report: Raised) -> Iterator[_Call]:
    kind = report.kind
    if kind.of_reservation:
        asked = _reservation(report.at, report.user, report.reservation)
        yield _Call(report.at, report.luck, report.spot, report.name, "ReserveNow", asked, {"status": kind.raw})
    elif kind.taxonomy == OCPP:
        info = {"info": kind.info} if kind.info else {}
        yield _status(report, {"status": "Faulted", "errorCode": kind.raw} | info)


def _cleared(report: Cleared) -> Iterator[_Call]:
    yield _status(report, {"status": "Available", "errorCode": "NoError"})


def _status(report: Raised | Cleared, asked: dict[str, Any]) -> _Call:
    """Writes a StatusNotification; half of them lack their time, as in the field.

    Late ones are of the other half.
    """
    asked["connectorId"] = 1
    if report.luck < 0.5:
        asked["timestamp"] = rfc3339(report.at)
    return _Call(report.at, report.luck, report.spot, report.name, "StatusNotification", asked, {})


_CALLS: Final[dict[type, Callable[[Any], Iterator[_Call]]]] = {
    Registered: _boot,
    Session: _session,
    Raised: _raised,
    Cleared: _cleared,
}

OCPP_LOG: Final = Form(b"timestamp,id,action,msg", _lines)
