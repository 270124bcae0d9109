"""Reads the signed meter values of a CDR or a session. Source: OCPI 2.2.1, module CDRs (SignedData)."""

from typing import Any, Final

from domain.field.signed_value import CONTEXT, FORMAT, LONGEST_TEXT, MOST_VALUES, PUBLIC_KEY, TEXT
from ingest.ocpi.objects import listed, text

_LONGEST_KEY: Final = 4096
_LONGEST_NAME: Final = 256
_SHOWN: Final = 64

Values = list[dict[str, Any]]


def signed_values(body: dict[str, Any]) -> tuple[Values, Values]:
    """Returns the signed values, and notes on those that cannot be kept: the first ones and the last ones are."""
    signed = body.get("signed_data")
    if signed is None:
        return [], []
    if not isinstance(signed, dict):
        return [], [_unreadable(signed)]
    stated, key = text(signed.get("encoding_method")), text(signed.get("public_key"))
    shared = {
        FORMAT: stated and stated[:_LONGEST_NAME],
        PUBLIC_KEY: key and key[:_LONGEST_KEY],
    }
    values, notes = Values(), Values()
    for value in listed(signed.get("signed_values")):
        blob, nature = value.get("signed_data"), text(value.get("nature"))
        if isinstance(blob, str) and blob.strip() and len(blob) <= LONGEST_TEXT:
            known = shared | {TEXT: blob, CONTEXT: nature and nature[:_LONGEST_NAME]}
            values.append({name: part for name, part in known.items() if part})
        elif len(notes) < MOST_VALUES:
            notes.append(_unreadable(blob))
    if len(values) > MOST_VALUES:
        half = MOST_VALUES // 2
        notes.append({"left_out": f"{len(values) - MOST_VALUES} signed values between the first and the last"})
        values = values[:half] + values[-half:]
    return values, notes


def _unreadable(value: Any) -> dict[str, Any]:
    shown = str(value)[:_SHOWN]
    size = f": {len(value):,} characters, of up to {LONGEST_TEXT:,}" if isinstance(value, str) else ""
    return {"unreadable": "signed_data", "text": f"{shown}{size}"}
