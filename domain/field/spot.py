"""Defines the charging spot as its operator registers it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

REGISTRATION_ORDER: Final = ("registered_at", "key")
"""The fields that order the registrations of one spot: of each detail the latest that states it counts.

A registration that leaves a detail out takes nothing away. The key breaks ties, so the result does not depend on
the order of arrival.
"""


@dataclass(slots=True)
class Spot:
    """One `spotclaim.spot.registered.v1` message.

    Power is in kW; `time_zone` is an IANA name. `unknown` holds the fields that no such message knows;
    it is stored, and not read again.
    """

    key: str
    source: str
    message_id: str
    spot_id: str
    registered_at: datetime
    received_at: datetime
    zone: str | None = None
    site: str | None = None
    time_zone: str | None = None
    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None
    max_power_kw: float | None = None
    commissioned_on: date | None = None
    warranty_until: date | None = None
    latitude: float | None = None
    longitude: float | None = None
    unknown: dict[str, Any] | None = None


def model_name(spot: Spot) -> str | None:
    """Returns the name that detection counts a model by.

    It is vendor, model and firmware, as far as they are known.
    """
    return " ".join(part for part in (spot.vendor, spot.model, spot.firmware) if part) or None
