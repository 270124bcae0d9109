"""Finds departures of frames from their standard.

Source: the JSON schemas of OCPP 1.6 and 2.1, from the package `ocpp`. A departure is no reason to refuse a frame:
what the field sends is evidence. It is described beside the record.
"""

import json
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import jsonschema_rs

_V16: Final = "v16"
_V2: Final = "v21"
# Actions of version 2 only, and the field that identifies version 2 in the others. The schemas of 2.1 accept what
# 2.0.1 does.
_ONLY_V2: Final = frozenset({"NotifyEvent", "ReservationStatusUpdate", "TransactionEvent"})
_TELLTALES: Final = {
    "BootNotification": "chargingStation",
    "MeterValues": "evseId",
    "ReserveNow": "idToken",
    "StatusNotification": "connectorStatus",
}
_MOST_FLAWS: Final = 5
_LONGEST_FLAW: Final = 200


def is_v2(action: str, payload: dict[str, Any]) -> bool:
    """Tells whether a call has the form of OCPP 2.x, rather than of 1.6."""
    return action in _ONLY_V2 or _TELLTALES.get(action) in payload


def flaws(action: str, payload: dict[str, Any]) -> tuple[str, ...]:
    """Lists what a call's schema forbids: at most five fields, each with the reason.

    Unknown fields are none: vendors add their own everywhere.
    """
    validator = _validator(_V2 if is_v2(action, payload) else _V16, action)
    if validator.is_valid(payload):
        return ()
    unknown = jsonschema_rs.ValidationErrorKind.AdditionalProperties
    errors = (error for error in validator.iter_errors(payload) if not isinstance(error.kind, unknown))
    return tuple(_flaw(error) for error, _ in zip(errors, range(_MOST_FLAWS), strict=False))


def may_answer(action: str, payload: dict[str, Any]) -> bool:
    """Tells whether a payload is a valid result of a call, in either version."""
    return any(_answers(version, action).is_valid(payload) for version in (_V16, _V2) if _answers(version, action))


def _flaw(error: jsonschema_rs.ValidationError) -> str:
    field = ".".join(map(str, error.instance_path))
    return f"{field}: {error.message}"[:_LONGEST_FLAW] if field else error.message[:_LONGEST_FLAW]


@lru_cache
def _validator(version: str, action: str) -> Any:
    return _read(version, f"{action}Request.json" if version == _V2 else f"{action}.json")


@lru_cache
def _answers(version: str, action: str) -> Any:
    """Returns the validator of an action's result; None where the version has none.

    The action is outside input, and may be no valid name.
    """
    try:
        return _read(version, f"{action}Response.json") if action.isidentifier() else None
    except OSError:
        return None


def _read(version: str, name: str) -> Any:
    schema = (resources.files("ocpp") / version / "schemas" / name).read_text("utf-8-sig")
    return jsonschema_rs.validator_for(json.loads(schema), validate_formats=True)
