"""Finds the cause behind an `OtherError`, wherever a station states it.

Sources: ChargeX MREC revision 5 (vendorId https://chargex.inl.gov, codes CX001 to CX026); CharIN Unified Error
Codes (vendorId org.charin.uec.v1, a code by its name); EVgo MREC 1.0.1 (vendorId com.evgo.mrec; several codes at
once as comma separated values of vendorErrorCode, the N-th value of info being the measurement of the N-th code).
"""

import re
from typing import Any, Final

from domain.policy.error_codes import OTHER, classify
from ingest.ocpp.frame import name_or_none

OCPP_16, OCPP_201 = "ocpp1.6", "ocpp2.0.1"
MREC, UEC, EVGO = "mrec", "vendor:org.charin.uec.v1", "vendor:com.evgo.mrec"
OTHER_ERROR: Final = "OtherError"

_SCHEMES: Final = {"https://chargex.inl.gov": MREC, "org.charin.uec.v1": UEC, "com.evgo.mrec": EVGO}
_CX: Final = re.compile(r"\bCX0(?:0[1-9]|1\d|2[0-6])\b", re.IGNORECASE)
_STANDARD: Final = re.compile(
    r"\b(ConnectorLockFailure|EVCommunicationError|GroundFailure|HighTemperature|InternalError|LocalListConflict"
    r"|OverCurrentFailure|OverVoltage|PowerMeterFailure|PowerSwitchFailure|ReaderFailure|ResetFailure|UnderVoltage"
    r"|WeakSignal)\b",
    re.IGNORECASE,
)
# A taxonomy has 64 characters at most.
_LONGEST_VENDOR: Final = 57
_LONGEST_CODE: Final = 256

Error = dict[str, str]
"""An error in the form of the wire: taxonomy, code, and free text (`info`)."""


def errors(payload: dict[str, Any], error_code: str, remark: str | None = None) -> list[Error]:
    """Returns the errors that a StatusNotification of OCPP 1.6 reports; never empty.

    A code of a known scheme says more than the standard's own and comes first. Free text is searched only where
    the standard's code says nothing by itself.
    """
    if not payload.get("vendorErrorCode") and not payload.get("info"):
        return [_error(OCPP_16, error_code, remark or "")]
    vendor_code = name_or_none(payload.get("vendorErrorCode")) or ""
    info = name_or_none(payload.get("info")) or ""
    scheme = _SCHEMES.get((name_or_none(payload.get("vendorId")) or "").strip().lower().rstrip("/"))
    found = _of_scheme(scheme, vendor_code, info) if scheme else []
    is_specific = classify(OCPP_16, error_code) != OTHER
    known = [error for error in found if classify(error["taxonomy"], error["code"]) != OTHER]
    # One unknown code beside known ones is still a fault of its own.
    if known or (found and not is_specific):
        return found
    taxonomy, code = _named(error_code, vendor_code, info, payload, is_specific)
    words = (remark, info, f"vendorErrorCode {vendor_code}" if vendor_code else None)
    return [_error(taxonomy, code, "; ".join(word for word in words if word))]


def tech_error(tech_code: str) -> Error | None:
    """Returns the error that a `techCode` of OCPP 2.x names; None for a vendor's own."""
    if match := _CX.search(tech_code):
        return _error(MREC, match[0].upper())
    return _error(UEC, tech_code) if classify(UEC, tech_code) != OTHER else None


def _of_scheme(scheme: str, vendor_code: str, info: str) -> list[Error]:
    codes = [code.strip() for code in vendor_code.split(",")]
    values = [value.strip() for value in info.split(",")]
    # Measurements that do not match the codes in number belong to none in particular.
    measured = values if len(values) == len(codes) > 1 else [info] * len(codes)
    return [_error(scheme, code, value) for code, value in zip(codes, measured, strict=True) if code]


def _named(
    error_code: str, vendor_code: str, info: str, payload: dict[str, Any], is_specific: bool
) -> tuple[str, str]:
    """Returns taxonomy and code of a single error that belongs to no known scheme."""
    if match := _CX.search(vendor_code):
        return MREC, match[0].upper()
    if is_specific:
        return OCPP_16, error_code
    if match := _CX.search(info):
        return MREC, match[0].upper()
    if match := _STANDARD.search(vendor_code) or _STANDARD.search(info):
        return OCPP_16, match[0]
    vendor = (name_or_none(payload.get("vendorId")) or "").strip().lower()
    is_vendors = error_code.lower() == OTHER_ERROR.lower() and vendor_code and 0 < len(vendor) <= _LONGEST_VENDOR
    return (f"vendor:{vendor}", vendor_code) if is_vendors else (OCPP_16, error_code)


def _error(taxonomy: str, code: str, info: str = "") -> Error:
    error = {"taxonomy": taxonomy, "code": code[:_LONGEST_CODE]}
    return error | {"info": info} if info else error
