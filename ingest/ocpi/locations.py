"""Locations as registered spots, one for each EVSE. Source: OCPI 2.2.1 and 2.1.1, module Locations."""

from collections.abc import Iterable
from typing import Any, Final

from ingest.cloudevents.types import SPOT_REGISTERED
from ingest.ocpi.objects import OcpiObject, listed, nested, number, text, time

# The number of phases. The voltage is that of one phase, so power is the product of all three.
_PHASES: Final = {"AC_1_PHASE": 1, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2, "AC_3_PHASE": 3, "DC": 1}
# No car charges with less than 6 A: a lower power is stated in another unit, or wrong.
_LOWEST_WATTS: Final = 1000.0
_REMOVED: Final = "REMOVED"


def registrations(obj: OcpiObject, location: dict[str, Any]) -> list[dict[str, Any]]:
    """Registers each EVSE of the location that was not removed."""
    evses = listed(location.get("evses"))
    return [_registration(obj, location, evse) for evse in evses if evse.get("status") != _REMOVED]


def evse_registration(obj: OcpiObject) -> list[dict[str, Any]]:
    """Registers an EVSE that came by itself; its URL names the location."""
    uid = obj.address.ids[1] if len(obj.address.ids) > 1 else None
    evse = {"uid": uid} | obj.body
    return [] if evse.get("status") == _REMOVED else [_registration(obj, {"id": obj.id}, evse)]


def _registration(obj: OcpiObject, location: dict[str, Any], evse: dict[str, Any]) -> dict[str, Any]:
    spot_id = obj.spot_id(evse.get("uid"))
    place = nested(evse.get("coordinates")) or nested(location.get("coordinates"))
    times = filter(None, (time(evse, "last_updated"), time(location, "last_updated")))
    data = {
        "spot_id": spot_id,
        "site": text(location.get("name")) or text(location.get("address")),
        "zone": text(location.get("city")),
        "time_zone": text(location.get("time_zone")),
        "max_power_kw": max_power_kw(listed(evse.get("connectors"))),
        "location": _coordinates(place),
    }
    return obj.event(SPOT_REGISTERED, f"evse:{spot_id}", max(times, default=None), data)


def _coordinates(place: dict[str, Any]) -> dict[str, float] | None:
    latitude, longitude = number(place.get("latitude")), number(place.get("longitude"))
    return None if latitude is None or longitude is None else {"latitude": latitude, "longitude": longitude}


def max_power_kw(connectors: Iterable[dict[str, Any]]) -> float | None:
    """Returns the power of an EVSE's strongest connector. One connector of an EVSE is used at a time."""
    known = [watts for connector in connectors if (watts := _watts(connector)) is not None]
    return round(max(known) / 1000, 3) if known else None


def _watts(connector: dict[str, Any]) -> float | None:
    """Returns the stated power, or what voltage and amperage allow. OCPI 2.1.1 names them without `max_`."""
    stated = number(connector.get("max_electric_power"))
    if stated is not None and stated >= _LOWEST_WATTS:
        return stated
    volts = number(connector.get("max_voltage", connector.get("voltage")))
    amperes = number(connector.get("max_amperage", connector.get("amperage")))
    phases = _PHASES.get(str(connector.get("power_type")))
    if volts is None or amperes is None or phases is None:
        return None
    return volts * amperes * phases if volts * amperes * phases >= _LOWEST_WATTS else None
