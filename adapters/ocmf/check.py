"""Checks signed meter values with the library `pyocmf`. Implements `domain.field.signed_value.CheckSigned`."""

import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from adapters.ocmf.public_key import EXTRA
from adapters.ocmf.texts import OCMF, Document, Malformed, documents
from domain.field.signed_value import (
    CONTEXT,
    FORMAT,
    INVALID,
    LONGEST_TEXT,
    PUBLIC_KEY,
    TEXT,
    UNVERIFIED,
    VERIFIED,
    CheckedValue,
    SignedReading,
)

if TYPE_CHECKING:
    import pyocmf
    from pyocmf import Reading

_MOST_DOCUMENTS: Final = 16
_REMEMBERED: Final = 512
_LONGEST_WORD: Final = 64
_NO_KEY: Final = "no public key is pinned for the spot"
_WITH_KEY: Final = f"{_NO_KEY}, and the one that came with it proves nothing"
_BEGINS: Final = ("begin", "start")
_ENDS: Final = ("end", "stop")
# The meter vouches for its clock: it is synchronised, or at least informative.
_VOUCHED: Final = ("S", "I")
_PER_KWH: Final = {"kWh": 1, "Wh": 1000}


def check_signed(value: Mapping[str, Any], public_key: str | None) -> list[CheckedValue]:
    """Checks a signed value against the key that is pinned. Never raises."""
    text, stated, context = (_text(value.get(name)) for name in (TEXT, FORMAT, CONTEXT))
    if len(text) > LONGEST_TEXT:
        return [CheckedValue(UNVERIFIED, f"it has more than {LONGEST_TEXT:,} characters")]
    return list(_checked(text, stated, context.lower(), bool(value.get(PUBLIC_KEY)), public_key))


# Claims are verified again and again over the same records.
@lru_cache(_REMEMBERED)
def _checked(
    text: str, stated: str, context: str, with_key: bool, public_key: str | None
) -> tuple[CheckedValue, ...]:
    try:
        import pyocmf
    except ImportError:
        return (CheckedValue(UNVERIFIED, f"to check it: {EXTRA}"),)
    # Outside texts do not belong on standard error, where the library would put what departs from the standard.
    warnings.filterwarnings("ignore", category=pyocmf.SpecWarning)
    try:
        found = documents(text, stated or None, with_key)
    except Malformed as reason:
        return (CheckedValue(INVALID, str(reason)),)
    checked = [_document(one, one.context.lower() or context, public_key) for one in found[:_MOST_DOCUMENTS]]
    if len(found) > _MOST_DOCUMENTS:
        checked.append(CheckedValue(UNVERIFIED, f"only {_MOST_DOCUMENTS} of its {len(found)} values were checked"))
    return tuple(checked)


def _document(document: Document, context: str, public_key: str | None) -> CheckedValue:
    if document.format != OCMF:
        named = f"the format {document.format[:_LONGEST_WORD]}" if document.format else "its format"
        return CheckedValue(UNVERIFIED, f"{named} is not known")
    import pyocmf

    try:
        record = pyocmf.OCMF.from_string(document.text)
        outcome, reason = _verified(record, public_key)
        if outcome == UNVERIFIED and public_key is None and document.with_key:
            reason = _WITH_KEY
        readings = tuple(_readings(record, context)) if outcome != INVALID else ()
    except _NotWell as unwell:
        return CheckedValue(UNVERIFIED, str(unwell))
    # Whatever a hostile text makes the library raise, deep nesting included, it is the text that is wrong.
    except Exception:
        return CheckedValue(INVALID, f"it cannot be read as {OCMF}")
    return CheckedValue(outcome, reason, readings)


def _verified(record: "pyocmf.OCMF", public_key: str | None) -> tuple[str, str]:
    """Verifies the signature, and returns the outcome with its reason."""
    from pyocmf import EncodingError, PublicKey, PublicKeyError, SignatureMethod, SignatureVerificationError
    from pyocmf.enums import CurveType

    if public_key is None:
        return UNVERIFIED, _NO_KEY
    method = record.signature.SA
    if not isinstance(method, SignatureMethod):
        return UNVERIFIED, f"its algorithm {_text(method)[:_LONGEST_WORD]} is not known"
    try:
        key = PublicKey.from_string(public_key)
    except (PublicKeyError, EncodingError, ImportError):
        return UNVERIFIED, "the pinned key cannot be read"
    if method.curve == CurveType.BRAINPOOL256R1:
        # One curve by two names; keys are of the other.
        record.signature.SA = method = SignatureMethod.from_parts(CurveType.BRAINPOOLP256R1, method.hash_algorithm)
    if key.curve != method.curve:
        return INVALID, f"it is signed on the curve {method.curve}, and the pinned key is of {key.curve}"
    try:
        right = record.verify_signature(key)
    except SignatureVerificationError:
        return INVALID, "its signature cannot be read"
    return (VERIFIED, "") if right else (INVALID, "its signature does not fit the pinned key")


class _NotWell(Exception):
    """A meter that was not well when it signed."""


def _readings(record: "pyocmf.OCMF", context: str) -> Iterator[SignedReading]:
    """Yields what the register showed at either end. Raises `_NotWell`."""
    for reading in record.payload.RD:
        begin = _is_begin(reading, context)
        if begin is None or reading.RV is None:
            continue
        status, unit, flags = _text(reading.ST), _text(reading.RU), _text(reading.EF)
        if status != "G":
            raise _NotWell(f"the meter's status was {status[:_LONGEST_WORD] or 'not stated'}, and not G, good")
        if "E" in flags:
            raise _NotWell("the meter marked its energy as wrong")
        if unit not in _PER_KWH:
            raise _NotWell(f"its unit {unit[:_LONGEST_WORD] or '(none)'} is neither kWh nor Wh")
        kwh = float(reading.RV / _PER_KWH[unit])
        if not isfinite(kwh):
            raise _NotWell("its register is no number that a meter shows")
        yield SignedReading(_text(reading.RI), kwh, begin, _vouched(reading))


def _is_begin(reading: "Reading", context: str) -> bool | None:
    """Checks whether a reading is of the begin or the end; None for one between, or where nobody says."""
    from pyocmf import MeterReadingReason

    why = reading.TX
    if isinstance(why, MeterReadingReason):
        if why == MeterReadingReason.BEGIN or why.is_end_reading():
            return why == MeterReadingReason.BEGIN
        return None
    if any(word in context for word in _BEGINS):
        return True
    return False if any(word in context for word in _ENDS) else None


def _vouched(reading: "Reading") -> datetime | None:
    at = reading.timestamp
    return at if at.tzinfo is not None and str(reading.time_status) in _VOUCHED else None


def _text(value: object) -> str:
    return "" if value is None else str(value)
