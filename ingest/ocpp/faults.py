"""StatusNotification and NotifyEvent as faults raised and cleared.

Sources: OCPP 1.6 edition 2, sections 4.9 and 7.6; OCPP 2.0.1 part 2, N07 and EventDataType.
"""

from collections.abc import Iterator
from typing import Any, Final

from domain.error_codes import OTHER, classify
from ingest.cloudevents.types import FAULT_CLEARED, FAULT_RAISED
from ingest.ocpp import error_codes as causes
from ingest.ocpp.error_codes import OCPP_201, OTHER_ERROR, Error
from ingest.ocpp.frame import Frame, connector, inner, name_or_none, objects, time_or_none
from ingest.ocpp.station import Settled, Standing, Station

_NO_ERROR: Final = "NoError"
_FAULTED: Final = "Faulted"
_WHOLE_STATION: Final = "0"
_BARE_STATUS: Final = "status"
_FALSE: Final = frozenset({"false", "0"})
_TRUE: Final = frozenset({"true", "1"})
_LONGEST_CODE: Final = 256


def status(station: Station, frame: Frame) -> Iterator[Settled]:
    """What one StatusNotification says: errors raised, errors cleared, or nothing new.

    `Faulted` with `NoError` keeps the code that the connector raised before, since stations send the code once and
    then the bare status; where there is none, the fault is real and its name is `OtherError`, unless the station's
    free words name another.
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
    errors = causes.errors(frame.payload, code, remark)
    yield frame, [_raise(station, frame, number, error, index) for index, error in enumerate(errors)]


def connector_status(station: Station, frame: Frame) -> Iterator[Settled]:
    """A StatusNotification of OCPP 2.x, which says no more than that an EVSE is faulted or is not.

    It is a fault only where no event told the error; and it clears no error that an event told.
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
    station.raise_error(place, _BARE_STATUS, Standing(error, number))
    yield frame, [_event(frame, FAULT_RAISED, frame.moment_id, number, error)]


def notify_event(station: Station, frame: Frame) -> Iterator[Settled]:
    """The events of a NotifyEvent that report a fault or its end."""
    told = enumerate(objects(frame.payload.get("eventData")))
    yield frame, [event for index, data in told for event in _of_event(station, frame, index, data)]


def _of_event(station: Station, frame: Frame, index: int, told: dict[str, Any]) -> list[dict[str, Any]]:
    number = connector(inner(told, "component", "evse", "id") or 0)
    place, name = str(number), _name(told)
    value = str(told.get("actualValue", "")).strip().lower()
    event_id = f"{frame.moment_id}:{index}"
    more = {
        "occurred_at": time_or_none(told.get("timestamp")) or time_or_none(frame.payload.get("generatedAt")),
        "session_id": name_or_none(told.get("transactionId")),
    }
    if told.get("cleared") is True or (value in _FALSE and _tells_a_problem(told)):
        error = _forget(station, place, name) or _error(told)
        return [_event(frame, FAULT_CLEARED, event_id, number, error, more)]
    if not _is_fault(told, value):
        return []
    error = _error(told)
    station.raise_error(place, name, Standing(error, number))
    return [_event(frame, FAULT_RAISED, event_id, number, error, more)]


def _name(told: dict[str, Any]) -> str:
    """By what an event and its end are known to be one: the component's variable."""
    parts = [inner(told, part, key) for part in ("component", "variable") for key in ("name", "instance")]
    return "/".join(str(part) for part in parts if part)


def _tells_a_problem(told: dict[str, Any]) -> bool:
    """Whether the variable is one that says true while something is wrong.

    `Problem` always is; `Active` and the like only of components that are active when something is wrong.
    """
    variable = str(inner(told, "variable", "name") or "")
    return variable.lower() == "problem" or classify(OCPP_201, _code(told)) != OTHER


def _is_fault(told: dict[str, Any], value: str) -> bool:
    """Values that are reported as they change, or now and then, are no faults; what alerts is one."""
    if told.get("trigger") == "Alerting" or causes.tech_error(str(told.get("techCode") or "")):
        return True
    return value in _TRUE and _tells_a_problem(told)


def _code(told: dict[str, Any]) -> str:
    names = (name_or_none(inner(told, part, "name")) for part in ("component", "variable"))
    return ".".join(name for name in names if name)[:_LONGEST_CODE]


def _error(told: dict[str, Any]) -> Error:
    tech_code, value = name_or_none(told.get("techCode")), name_or_none(told.get("actualValue"))
    error = causes.tech_error(tech_code or "") or {"taxonomy": OCPP_201, "code": _code(told) or OTHER_ERROR}
    words = (
        f"techCode {tech_code}" if tech_code and tech_code != error["code"] else None,
        name_or_none(told.get("techInfo")),
        f"{_name(told)} {value}" if value and value.lower() not in _TRUE | _FALSE else None,
    )
    info = "; ".join(word for word in words if word)
    return error | {"info": info} if info else error


def _raise(station: Station, frame: Frame, number: int, error: Error, index: int) -> dict[str, Any]:
    station.raise_error(str(number), f"{error['taxonomy']} {error['code']}", Standing(error, number))
    # The first keeps the plain id.
    event_id = f"{frame.moment_id}:{index}" if index else frame.moment_id
    return _event(frame, FAULT_RAISED, event_id, number, error)


def _clear(station: Station, frame: Frame, place: str) -> list[dict[str, Any]]:
    """Clears what the connector has raised; the whole station speaks for all its connectors."""
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
    """The data of a fault, without what nobody said; where the frame departs from its standard, it says so."""
    data = {"spot_id": frame.station, "connector_id": number, "error": error}
    if frame.flaws:
        more["description"] = "Outside the standard: " + "; ".join(frame.flaws)
    return data | {name: value for name, value in more.items() if value is not None}
