"""Types of the wire: a CloudEvents 1.0 envelope and the data of each event type.

Source: DESIGN, section 4. They are typed dictionaries: a message is validated in one pass without creating
objects.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from domain.evidence.content import NOT_BLANK
from domain.field.signed_value import LONGEST_TEXT, MOST_VALUES
from ingest.cloudevents.evidence_schema import EVIDENCE_SCHEMA

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=256)]
# White space alone is no spot id.
SpotId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NOT_BLANK)]
Name = Annotated[str, StringConstraints(max_length=256)]
# A time without an offset is accepted and marked; anything that is no time is refused.
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]


def _no_boolean(value: object) -> object:
    """Rejects booleans, which Python alone takes for numbers."""
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "Input should be a number, not true or false")
    return value


_Numeric = BeforeValidator(_no_boolean)
Number = Annotated[float, _Numeric]
ConnectorId = Annotated[int, Field(ge=0, le=2**31 - 1), _Numeric]

FAULT_RAISED = "spotclaim.fault.raised.v1"
FAULT_CLEARED = "spotclaim.fault.cleared.v1"
USAGE_RECORDED = "spotclaim.usage.recorded.v1"
SPOT_REGISTERED = "spotclaim.spot.registered.v1"

# Each type checks its own data, so the envelope need not.
_Payload = Annotated[Any, WithJsonSchema({"type": "object"})]

# Controllers write numbers where identifiers belong, and add fields of their own.
_TOLERANT = ConfigDict(coerce_numbers_to_str=True, extra="ignore", allow_inf_nan=False)


@with_config(_TOLERANT)
class CloudEvent(TypedDict):
    """The envelope. `source` and `id` identify the event; `time` is when it was made."""

    specversion: Literal["1.0"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    source: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    type: str
    time: NotRequired[Moment | None]
    data: _Payload


@with_config(_TOLERANT)
class ErrorData(TypedDict):
    """An error code and the taxonomy that defines it.

    Taxonomies are `spotclaim`, `ocpp1.6`, `ocpp2.0.1`, `mrec`, `ocpi2.2.1` and `vendor:<id>`. An unknown code is
    taken as `OTHER` and kept; one of `spotclaim` is refused.
    """

    taxonomy: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    code: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    info: NotRequired[str | None]


@with_config(_TOLERANT | ConfigDict(extra="allow"))
class EvidenceData(TypedDict):
    """One piece of evidence; what it must carry depends on its kind (`domain.evidence.content`)."""

    kind: Literal[
        "meter_reading", "signed_meter_value", "reservation_response", "session", "photo", "document", "note"
    ]


@with_config(_TOLERANT)
class FaultData(TypedDict):
    """`spotclaim.fault.raised.v1` and `spotclaim.fault.cleared.v1`. Times are RFC 3339 with an offset.

    Connector 0, or none, is the whole spot. Without `occurred_at` the time of the event counts, and without that
    the time of its reception. `NoError` of `ocpp1.6` cannot be raised; it says that something is cleared.
    """

    spot_id: SpotId
    error: ErrorData
    connector_id: NotRequired[ConnectorId | None]
    occurred_at: NotRequired[Moment | None]
    zone: NotRequired[Name | None]
    affected_user: NotRequired[Name | None]
    reservation_id: NotRequired[Name | None]
    session_id: NotRequired[Name | None]
    description: NotRequired[str | None]
    severity_hint: NotRequired[Name | None]
    evidence: NotRequired[
        Annotated[list[Annotated[EvidenceData, WithJsonSchema(EVIDENCE_SCHEMA)]], Field(max_length=64)]
    ]


@with_config(_TOLERANT | ConfigDict(extra="allow"))
class SignedData(TypedDict):
    """A meter value with its signature, as the meter gave it. It is checked, and is never a register.

    `text` is OCMF, as such, in base64, in hexadecimal digits or in the XML of transparency software; or another
    `format`, which is kept. `context` says whether it is of the begin or the end. The `public_key` that comes with
    it proves nothing: that of the meter is pinned by hand.
    """

    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT, pattern=NOT_BLANK)]
    format: NotRequired[Name | None]
    context: NotRequired[Name | None]
    public_key: NotRequired[Annotated[str, StringConstraints(max_length=4096)] | None]


@with_config(_TOLERANT)
class UsageData(TypedDict):
    """`spotclaim.usage.recorded.v1`. Energy and registers in kWh; wrong values are kept: they are evidence.

    `periods_kwh` is what the parts of the session add up to; `under_way` says that it goes on. A record that
    `takes_back` an earlier one of its session, with the same energy, is a credit.
    """

    spot_id: SpotId
    session_id: Identifier
    connector_id: NotRequired[ConnectorId | None]
    started_at: NotRequired[Moment | None]
    ended_at: NotRequired[Moment | None]
    energy_kwh: NotRequired[Number | None]
    meter_start_kwh: NotRequired[Number | None]
    meter_stop_kwh: NotRequired[Number | None]
    periods_kwh: NotRequired[Number | None]
    under_way: NotRequired[bool]
    takes_back: NotRequired[bool]
    reservation_id: NotRequired[Name | None]
    user: NotRequired[Name | None]
    stop_reason: NotRequired[Name | None]
    samples: NotRequired[list[dict[str, Any]]]
    signed: NotRequired[Annotated[list[SignedData], Field(max_length=MOST_VALUES)] | None]


@with_config(_TOLERANT)
class LocationData(TypedDict):
    """Degrees, WGS 84."""

    latitude: Number
    longitude: Number


@with_config(_TOLERANT)
class SpotData(TypedDict):
    """`spotclaim.spot.registered.v1`. Power in kW; dates are ISO 8601; `time_zone` is an IANA name."""

    spot_id: SpotId
    zone: NotRequired[Name | None]
    site: NotRequired[Name | None]
    time_zone: NotRequired[Name | None]
    vendor: NotRequired[Name | None]
    model: NotRequired[Name | None]
    firmware: NotRequired[Name | None]
    max_power_kw: NotRequired[Number | None]
    commissioned_on: NotRequired[Day | None]
    warranty_until: NotRequired[Day | None]
    location: NotRequired[LocationData | None]
