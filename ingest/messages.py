"""The shapes on the wire: a CloudEvents 1.0 envelope and the data of each type. Source: DESIGN, section 4."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=256)]
SpotId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(max_length=256)]
ConnectorId = Annotated[int, Field(ge=0, le=2**31 - 1)]

FAULT_RAISED = "spotclaim.fault.raised.v1"
FAULT_CLEARED = "spotclaim.fault.cleared.v1"
USAGE_RECORDED = "spotclaim.usage.recorded.v1"
SPOT_REGISTERED = "spotclaim.spot.registered.v1"


class _Message(BaseModel):
    # Controllers write numbers where identifiers belong, and add fields of their own.
    model_config = ConfigDict(coerce_numbers_to_str=True, extra="ignore", allow_inf_nan=False)


class Event(_Message):
    """The envelope. `source` and `id` identify the event; `time` is when it was made."""

    specversion: Literal["1.0"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    source: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    type: str
    time: str | None = None
    data: dict[str, Any]


class ErrorData(_Message):
    """An error in the words of the standard it comes from."""

    taxonomy: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    code: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    info: str | None = None


class EvidenceData(_Message):
    """One piece of evidence; what else it carries depends on its kind."""

    model_config = ConfigDict(extra="allow")

    kind: Literal["meter_reading", "reservation_response", "session", "photo", "document", "note"]


class FaultData(_Message):
    """`spotclaim.fault.raised.v1` and `spotclaim.fault.cleared.v1`. Times are RFC 3339 with an offset."""

    spot_id: SpotId
    error: ErrorData
    connector_id: ConnectorId = 0
    occurred_at: str | None = None
    zone: Name | None = None
    affected_user: Name | None = None
    reservation_id: Name | None = None
    session_id: Name | None = None
    description: str | None = None
    severity_hint: Name | None = None
    evidence: Annotated[list[EvidenceData], Field(max_length=64)] = Field(default_factory=list)


class UsageData(_Message):
    """`spotclaim.usage.recorded.v1`. Energy and registers in kWh; wrong values are kept: they are evidence."""

    spot_id: SpotId
    session_id: Identifier
    connector_id: ConnectorId = 0
    started_at: str | None = None
    ended_at: str | None = None
    energy_kwh: float | None = None
    meter_start_kwh: float | None = None
    meter_stop_kwh: float | None = None
    reservation_id: Name | None = None
    user: Name | None = None
    stop_reason: Name | None = None
    samples: list[dict[str, Any]] = Field(default_factory=list)


class LocationData(_Message):
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


class SpotData(_Message):
    """`spotclaim.spot.registered.v1`. Power in kW; dates are ISO 8601; `time_zone` is an IANA name."""

    spot_id: SpotId
    zone: Name | None = None
    site: Name | None = None
    time_zone: Name | None = None
    vendor: Name | None = None
    model: Name | None = None
    firmware: Name | None = None
    max_power_kw: float | None = None
    commissioned_on: str | None = None
    warranty_until: str | None = None
    location: LocationData | None = None
