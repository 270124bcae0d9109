"""Writes reports as CloudEvents, the form that `spotclaim send` reads. See `ingest.cloudevents.types`."""

from collections.abc import Callable
from typing import Any, Final

import orjson

from ingest.cloudevents.types import FAULT_CLEARED, FAULT_RAISED, SPOT_REGISTERED, USAGE_RECORDED
from ingest.simulator import repeats
from ingest.simulator.fleet import SimulatedSpot
from ingest.simulator.moments import rfc3339
from ingest.simulator.reports import Cleared, Form, Line, Raised, Registered, Report, Session

SPOTS_REGISTERED: Final = "spots registered"

_EventParts = tuple[str, str, SimulatedSpot, str, dict[str, Any]]
"""The line's kind, the event's type, its spot, its id among those of the spot, and its data."""


def _lines(report: Report) -> list[Line]:
    what, kind, spot, name, data = _WRITERS[type(report)](report)
    event = {
        "specversion": "1.0",
        "id": f"{spot.spot_id}/{name}",
        "source": f"/simulator/{spot.zone.name}",
        "type": kind,
        "time": rfc3339(report.at),
        "data": data,
    }
    body = orjson.dumps(event)
    moments = repeats.arrivals(report.at, report.luck)
    return [Line(at, what, body, again=number > 0) for number, at in enumerate(moments)]


def _registered(report: Registered) -> _EventParts:
    spot = report.spot
    data = {
        "spot_id": spot.spot_id,
        "zone": spot.zone.name,
        "site": spot.site,
        "time_zone": spot.zone.time_zone,
        "vendor": spot.model.vendor,
        "model": spot.model.name,
        "firmware": spot.firmware,
        "max_power_kw": spot.model.power_kw,
        "commissioned_on": spot.commissioned_on,
        "warranty_until": spot.warranty_until,
        "location": {"latitude": spot.zone.latitude, "longitude": spot.zone.longitude},
    }
    return SPOTS_REGISTERED, SPOT_REGISTERED, spot, "registered", data


def _session(session: Session) -> _EventParts:
    data: dict[str, Any] = {
        "session_id": str(session.transaction),
        "spot_id": session.spot.spot_id,
        "connector_id": 1,
        "started_at": rfc3339(session.started),
        "meter_start_kwh": session.register_wh / 1000,
        "user": session.user,
    }
    if session.reservation:
        data["reservation_id"] = str(session.reservation)
    if session.has_end:
        data |= {
            "ended_at": rfc3339(session.ended),
            "energy_kwh": session.energy_wh / 1000,
            "meter_stop_kwh": (session.register_wh + session.moved_wh) / 1000,
        }
    return "sessions", USAGE_RECORDED, session.spot, f"session-{session.number}", data


def _raised(report: Raised) -> _EventParts:
    data = _fault(report)
    if report.session:
        data["session_id"] = report.session
    if report.user:
        data["affected_user"] = report.user
    if report.reservation:
        data["reservation_id"] = str(report.reservation)
        if report.kind.of_reservation:
            answer = {"kind": "reservation_response", "status": report.kind.raw, "time": rfc3339(report.at)}
            data["evidence"] = [answer]
    return "faults raised", FAULT_RAISED, report.spot, report.name, data


def _cleared(report: Cleared) -> _EventParts:
    return "faults cleared", FAULT_CLEARED, report.spot, report.name, _fault(report)


def _fault(report: Raised | Cleared) -> dict[str, Any]:
    kind = report.kind
    error = {"taxonomy": kind.taxonomy, "code": kind.raw}
    if kind.info:
        error["info"] = kind.info
    return {
        "spot_id": report.spot.spot_id,
        "connector_id": 1,
        "zone": report.spot.zone.name,
        "error": error,
        "occurred_at": rfc3339(report.at),
    }


_WRITERS: Final[dict[type, Callable[[Any], _EventParts]]] = {
    Registered: _registered,
    Session: _session,
    Raised: _raised,
    Cleared: _cleared,
}

CLOUD_EVENTS: Final = Form(b"", _lines)
