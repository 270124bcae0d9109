"""Reads signed meter values, which are texts and never registers.

Sources: OCPP 1.6 section 7.31 (format SignedData), OCPP 2.0.1 SignedMeterValueType, and the Open Charge Alliance's
way to send the latter in 1.6: as JSON in the value.
"""

from collections.abc import Iterator
from typing import Any, Final

from domain.errors import MalformedMessage
from domain.field.signed_value import CONTEXT, FORMAT, LONGEST_TEXT, MOST_VALUES, PUBLIC_KEY, TEXT
from ingest.cloudevents import strict_json
from ingest.ocpp.frame import name_or_none, objects
from ingest.ocpp.station import ChargingTransaction

_LONGEST_KEY: Final = 4096
_SHOWN: Final = 64
_MOST_NOTES: Final = 8


def is_signed(sampled: dict[str, Any]) -> bool:
    """Checks whether what stands in `value` is signed data of OCPP 1.6, and no reading."""
    return str(sampled.get("format")).lower() == "signeddata"


def learn(transaction: ChargingTransaction, meter_values: Any) -> None:
    """Adds the signed values of a frame to its transaction.

    Of more than `MOST_VALUES` the first ones and the last ones are kept; what is left out is noted.
    """
    for value in _values(meter_values):
        text = value[TEXT]
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TEXT:
            _note(transaction, {"unreadable": "signedMeterValue", "text": _described(text)})
        elif value not in transaction.signed:
            transaction.signed.append({name: part for name, part in value.items() if part is not None})
    while len(transaction.signed) > MOST_VALUES:
        del transaction.signed[MOST_VALUES // 2]
        _note(transaction, {"left_out": "signed values between the first and the last"})


def _note(transaction: ChargingTransaction, note: dict[str, Any]) -> None:
    if note not in transaction.signed_notes and len(transaction.signed_notes) < _MOST_NOTES:
        transaction.signed_notes.append(note)


def _described(text: Any) -> str:
    if not isinstance(text, str):
        return f"no text, but {str(text)[:_SHOWN]}"
    return f"{text[:_SHOWN]}: {len(text):,} characters, of up to {LONGEST_TEXT:,}"


def _values(meter_values: Any) -> Iterator[dict[str, Any]]:
    for meter_value in objects(meter_values):
        for sampled in objects(meter_value.get("sampledValue")):
            context = name_or_none(sampled.get("context"))
            if is_signed(sampled):
                yield _of_16(sampled.get("value")) | {CONTEXT: context}
            if isinstance(sampled.get("signedMeterValue"), dict):
                yield _of_type(sampled["signedMeterValue"]) | {CONTEXT: context}


def _of_16(value: Any) -> dict[str, Any]:
    if isinstance(value, str) and value.lstrip().startswith("{") and len(value) <= 2 * LONGEST_TEXT:
        try:
            inside = strict_json.loads(value.encode("utf-8", "surrogateescape"))
        except MalformedMessage:
            return {TEXT: value}
        if isinstance(inside, dict) and "signedMeterData" in inside:
            return _of_type(inside)
    return {TEXT: value}


def _of_type(signed: dict[str, Any]) -> dict[str, Any]:
    key = signed.get("publicKey")
    return {
        TEXT: signed.get("signedMeterData"),
        FORMAT: name_or_none(signed.get("encodingMethod")),
        PUBLIC_KEY: key[:_LONGEST_KEY] if isinstance(key, str) and key else None,
        "signing_method": name_or_none(signed.get("signingMethod")),
    }
