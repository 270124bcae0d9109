"""StatusNotification and NotifyEvent as faults raised and cleared.

Sources: OCPP 1.6 edition 2, sections 4.9 and 7.6; OCPP 2.0.1 part 2, N07 and EventDataType.
"""

from collections.abc import Iterator
from typing import Any, Final

from domain.policy.error_codes import OTHER, classify
from ingest.cloudevents.types import FAULT_CLEARED, FAULT_RAISED
from ingest.ocpp import error_codes
from ingest.ocpp.error_codes import OCPP_201, OTHER_ERROR, Error
from ingest.ocpp.frame import Frame, connector, inner, name_or_none, objects, time_or_none
from ingest.ocpp.station import ActiveError, Settled, Station

_NO_ERROR: Final = "NoError"
_FAULTED: Final = "Faulted"
_WHOLE_STATION: Final = "0"
_BARE_STATUS: Final = "status"
_FALSE: Final = frozenset({"false", "0"})
_TRUE: Final = frozenset({"true", "1"})
_LONGEST_CODE: Final = 256


def status(station: Station, frame: Frame) -> Iterator[Settled]:
    """Reads one StatusNotification of OCPP 1.6: errors raised, errors cleared, or nothing new.

    `Faulted` with `NoError` keeps the code that the connector raised before, since stations send the code once and
    then the bare status; where there is none, the fault is real and its name is `OtherError`, unless the station's
    free text names another.
    """
    number = connector(frame.payload.get("connectorId", 0))
    code = (name_or_none(frame.payload.get("errorCode")) or _NO_ERROR)[:_LONGEST_CODE]
    remark = None
    if code.lower() == _NO_ERROR.lower():
        if frame.payload.get("status") != _FAULTED:
            yield frame, _clear(station, frame, str(number))
            return
        if _stands(station, str(number)):
            yield frame, []
            return
        code, remark = OTHER_ERROR, "status Faulted with errorCode NoError"
    errors = error_codes.errors(frame.payload, code, remark)
    yield frame, [_raise(station, frame, number, error, index) for index, error in enumerate(errors)]


def connector_status(station: Station, frame: Frame) -> Iterator[Settled]:
    """Reads a StatusNotification of OCPP 2.x, which has no error code.

    It is a fault only where no event reported the error, and it clears no error that an event reported.
    """
    number = connector(frame.payload.get("evseId", 0))
    place = str(number)
    if frame.payload.get("connectorStatus") != _FAULTED:
        yield frame, _clear_named(station, frame, place, _BARE_STATUS)
        return
    if _stands(station, place):
        yield frame, []
        return
    error = {"taxonomy": OCPP_201, "code": OTHER_ERROR, "info": "connectorStatus Faulted"}
    station.raise_error(place, _BARE_STATUS, ActiveError(error, number))
    yield frame, [_event(frame, FAULT_RAISED, frame.moment_id, number, error)]


def notify_event(station: Station, frame: Frame) -> Iterator[Settled]:
    """Reads the events of a NotifyEvent that report a fault or its end."""
    items = enumerate(objects(frame.payload.get("eventData")))
    yield frame, [event for index, item in items for event in _of_event(station, frame, index, item)]


def _of_event(station: Station, frame: Frame, index: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    number = connector(inner(item, "component", "evse", "id") or 0)
    place, name = str(number), _name(item)
    value = str(item.get("actualValue", "")).strip().lower()
    event_id = f"{frame.moment_id}:{index}"
    more = {
        "occurred_at": time_or_none(item.get("timestamp")) or time_or_none(frame.payload.get("generatedAt")),
        "session_id": name_or_none(item.get("transactionId")),
    }
    if item.get("cleared") is True or (value in _FALSE and _states_a_problem(item)):
        error = _forget(station, place, name) or _error(item)
        return [_event(frame, FAULT_CLEARED, event_id, number, error, more)]
    if not _is_fault(item, value):
        return []
    error = _error(item)
    station.raise_error(place, name, ActiveError(error, number))
    return [_event(frame, FAULT_RAISED, event_id, number, error, more)]


def _name(item: dict[str, Any]) -> str:
    """Returns what an event and its end have in common: the component's variable."""
    parts = [inner(item, part, key) for part in ("component", "variable") for key in ("name", "instance")]
    return "/".join(str(part) for part in parts if part)


def _states_a_problem(item: dict[str, Any]) -> bool:
    """Tells whether the variable is true while something is wrong.

    `Problem` always is; `Active` and the like only of components that are active when something is wrong.
    """
    variable = str(inner(item, "variable", "name") or "")
    return variable.lower() == "problem" or classify(OCPP_201, _code(item)) != OTHER


def _is_fault(item: dict[str, Any], value: str) -> bool:
    """Tells whether an event is a fault: it alerts, or states a problem.

    Values that are reported on change or periodically are none.
    """
    if item.get("trigger") == "Alerting" or error_codes.tech_error(str(item.get("techCode") or "")):
        return True
    return value in _TRUE and _states_a_problem(item)


def _code(item: dict[str, Any]) -> str:
    names = (name_or_none(inner(item, part, "name")) for part in ("component", "variable"))
    return ".".join(name for name in names if name)[:_LONGEST_CODE]


def _error(item: dict[str, Any]) -> Error:
    tech_code, value = name_or_none(item.get("techCode")), name_or_none(item.get("actualValue"))
    error = error_codes.tech_error(tech_code or "") or {"taxonomy": OCPP_201, "code": _code(item) or OTHER_ERROR}
    words = (
        f"techCode {tech_code}" if tech_code and tech_code != error["code"] else None,
        name_or_none(item.get("techInfo")),
        f"{_name(item)} {value}" if value and value.lower() not in _TRUE | _FALSE else None,
    )
    info = "; ".join(word for word in words if word)
    return error | {"info": info} if info else error


def _raise(station: Station, frame: Frame, number: int, error: Error, index: int) -> dict[str, Any]:
    station.raise_error(str(number), f"{error['taxonomy']} {error['code']}", ActiveError(error, number))
    # The first keeps the plain id.
    event_id = f"{frame.moment_id}:{index}" if index else frame.moment_id
    return _event(frame, FAULT_RAISED, event_id, number, error)


def _clear(station: Station, frame: Frame, place: str) -> list[dict[str, Any]]:
    """Clears the errors of a connector; connector 0 clears those of the whole station."""
    places = list(station.standing) if place == _WHOLE_STATION else [place]
    return [
        event
        for each in places
        for name in list(station.standing.get(each, ()))
        for event in _clear_named(station, frame, each, name)
    ]


def _clear_named(station: Station, frame: Frame, place: str, name: str) -> list[dict[str, Any]]:
    error = _forget(station, place, name)
    if error is None:
        return []
    event_id = f"{frame.moment_id}:cleared:{place}:{error['code']}"
    said = name_or_none(frame.payload.get("info"))
    cleared = {"taxonomy": error["taxonomy"], "code": error["code"]} | ({"info": said} if said else {})
    return [_event(frame, FAULT_CLEARED, event_id, connector(place), cleared)]


def _forget(station: Station, place: str, name: str) -> Error | None:
    standing = station.standing.get(place, {}).pop(name, None)
    if not station.standing.get(place, True):
        del station.standing[place]
    return standing.error if standing else None


def _stands(station: Station, place: str) -> bool:
    return place in station.standing or _WHOLE_STATION in station.standing


def _event(
    frame: Frame, kind: str, event_id: str, number: int, error: Error, more: dict[str, Any] | None = None
) -> dict[str, Any]:
    return frame.event(kind, event_id, fault(frame, number, error, **(more or {"occurred_at": frame.stated_at})))


def fault(frame: Frame, number: int, error: Error, **more: Any) -> dict[str, Any]:
    """Builds the data of a fault, without missing fields.

    Departures from the standard are put into the description.
    """
    data = {"spot_id": frame.station, "connector_id": number, "error": error}
    if frame.flaws:
        more["description"] = "Outside the standard: " + "; ".join(frame.flaws)
    return data | {name: value for name, value in more.items() if value is not None}
