"""JSON Schemas (2020-12) and an AsyncAPI 3.0 document of the messages.

They are generated from the very types that validate messages, so they cannot differ.
"""

from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from ingest.cloudevents.types import (
    FAULT_CLEARED,
    FAULT_RAISED,
    SPOT_REGISTERED,
    USAGE_RECORDED,
    CloudEvent,
    FaultData,
    SpotData,
    UsageData,
)
from ingest.rabbitmq import topology

Schema = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_LIMITS: Final = (
    "A CloudEvents 1.0 event in structured mode. At most 256 KiB of UTF-8, 32 levels deep, and I-JSON (RFC 7493): "
    "no key twice in an object, no NaN or infinity, no integer past 64 bits, no U+0000, no lone surrogate. A "
    "number is also taken where a text is wanted, and a number that is written as a text. Fields that are not "
    "named here are kept, and warned about. A wrong value is evidence and is taken as it is sent."
)
_SOURCE: Final = {"specversion": "1.0", "id": "e-1", "source": "controller:7", "time": "2026-03-10T11:00:00Z"}
_DATA: Final[dict[str, tuple[Any, tuple[str, ...], Schema]]] = {
    "fault": (
        FaultData,
        (FAULT_RAISED, FAULT_CLEARED),
        {
            "spot_id": "DE*ABC*E1",
            "connector_id": 1,
            "error": {"taxonomy": "ocpp1.6", "code": "PowerMeterFailure"},
            "occurred_at": "2026-03-10T11:00:00+01:00",
        },
    ),
    "usage": (
        UsageData,
        (USAGE_RECORDED,),
        {
            "spot_id": "DE*ABC*E1",
            "session_id": "s-1",
            "started_at": "2026-03-10T10:00:00+01:00",
            "ended_at": "2026-03-10T11:00:00+01:00",
            "energy_kwh": 11.0,
            "meter_start_kwh": 100.0,
            "meter_stop_kwh": 111.0,
        },
    ),
    "spot": (
        SpotData,
        (SPOT_REGISTERED,),
        {"spot_id": "DE*ABC*E1", "zone": "north", "time_zone": "Europe/Berlin", "warranty_until": "2029-02-01"},
    ),
}
KINDS: Final = tuple(_DATA)


class _Untitled(GenerateJsonSchema):
    """Omits titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema(kind: str) -> Schema:
    """Returns the self-contained JSON Schema of the events of a kind, one of `KINDS`."""
    parts = components("#/$defs/", kind)
    event = parts.pop(event_name(kind))
    return {"$schema": _DIALECT, "$id": f"urn:spotclaim:{kind}:v1", **event, "$defs": parts}


def components(place: str, *kinds: str) -> dict[str, Schema]:
    """Returns the schemas of each kind's events and data, by name. `place` is the prefix of references to them."""
    parts: dict[str, Schema] = {}
    for kind in kinds:
        data_type, types, example = _DATA[kind]
        data = _described(data_type, place)
        parts |= data.pop("$defs", {})
        parts[data_name(kind)] = data | {"examples": [example]}
        parts[event_name(kind)] = _event(kind, types, example, place)
    return parts


def event_name(kind: str) -> str:
    """Returns the name of the schema of a kind's events."""
    return f"{kind.capitalize()}CloudEvent"


def data_name(kind: str) -> str:
    """Returns the name of the schema of a kind's data."""
    return f"{kind.capitalize()}Data"


def asyncapi() -> Schema:
    """Describes what Spotclaim receives from RabbitMQ."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Spotclaim", "version": "1", "description": _LIMITS},
        "defaultContentType": "application/cloudevents+json",
        "channels": {key: _channel(key, type_) for type_, key in topology.ROUTING_KEYS.items()},
        "operations": {
            f"receive.{key}": {"action": "receive", "channel": {"$ref": f"#/channels/{key}"}}
            for key in topology.ROUTING_KEYS.values()
        },
        "components": {"schemas": components("#/components/schemas/", *KINDS)},
    }


def _described(data_type: Any, place: str) -> Schema:
    return TypeAdapter(data_type).json_schema(ref_template=place + "{model}", schema_generator=_Untitled)


def _event(kind: str, types: tuple[str, ...], example: Schema, place: str) -> Schema:
    event = _described(CloudEvent, place)
    event["properties"]["type"] = {"enum": list(types)}
    event["properties"]["data"] = {"$ref": place + data_name(kind)}
    described = {"title": event_name(kind), "description": _LIMITS}
    return event | described | {"examples": [{**_SOURCE, "type": types[0], "data": example}]}


def _channel(routing_key: str, type_: str) -> Schema:
    [kind] = [kind for kind, (_, types, _) in _DATA.items() if type_ in types]
    exchange = {"name": topology.EXCHANGE, "type": "topic", "durable": True, "autoDelete": False}
    message = {"name": type_, "payload": {"$ref": f"#/components/schemas/{event_name(kind)}"}}
    return {
        "address": routing_key,
        "messages": {type_: message},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }
