"""Codes of the field and what they mean here."""

import pytest

from domain.catalogue import CLAIM_TYPES, classify
from domain.eligibility import CORROBORATING

OCPP_16_ERROR_CODES = {
    "ConnectorLockFailure": "CONNECTOR_LOCK_FAILURE",
    "EVCommunicationError": "COMMUNICATION_FAILURE",
    "GroundFailure": "GROUND_FAILURE",
    "HighTemperature": "OVER_TEMPERATURE",
    "InternalError": "CONTROLLER_FAILURE",
    "LocalListConflict": "CONTROLLER_FAILURE",
    "OtherError": "OTHER",
    "OverCurrentFailure": "OVER_CURRENT",
    "OverVoltage": "OVER_VOLTAGE",
    "PowerMeterFailure": "METER_UNREADABLE",
    "PowerSwitchFailure": "POWER_FAILURE",
    "ReaderFailure": "CONTROLLER_FAILURE",
    "ResetFailure": "CONTROLLER_FAILURE",
    "UnderVoltage": "UNDER_VOLTAGE",
    "WeakSignal": "COMMUNICATION_FAILURE",
}
# `Accepted` is no error and `NoError` clears one; neither is ever classified.
RESERVATION_STATUSES = {
    "Faulted": "RESERVATION_NOT_CONFIRMED",
    "Occupied": "SPOT_OCCUPIED",
    "Rejected": "RESERVATION_REJECTED",
    "Unavailable": "SPOT_UNAVAILABLE",
}
LATER_STANDARDS = [
    ("ocpp2.0.1", "Expired", "RESERVATION_LOST"),
    ("ocpp2.0.1", "Removed", "RESERVATION_LOST"),
    ("ocpi2.2.1", "EVSE_OCCUPIED", "SPOT_OCCUPIED"),
    ("ocpi2.2.1", "EVSE_INOPERATIVE", "SPOT_UNAVAILABLE"),
    ("ocpi2.2.1", "FAILED", "RESERVATION_NOT_CONFIRMED"),
    ("ocpi2.2.1", "REJECTED", "RESERVATION_REJECTED"),
    ("ocpi2.2.1", "TIMEOUT", "RESERVATION_NOT_CONFIRMED"),
    ("ocpi2.2.1", "UNKNOWN_RESERVATION", "RESERVATION_LOST"),
    ("mrec", "CX001", "CONNECTOR_LOCK_FAILURE"),
]


@pytest.mark.parametrize("taxonomy", ["ocpp1.6", "ocpp2.0.1", "OCPP1.6"])
@pytest.mark.parametrize(("raw", "code"), (OCPP_16_ERROR_CODES | RESERVATION_STATUSES).items())
def test_every_ocpp_code_has_a_meaning(taxonomy: str, raw: str, code: str) -> None:
    """ChargePointErrorCode and ReservationStatus of OCPP 1.6, edition 2, whole; 2.0.1 takes them too."""
    assert classify(taxonomy, raw) == code


@pytest.mark.parametrize(("taxonomy", "raw", "code"), LATER_STANDARDS)
def test_later_standards_have_their_own_tables(taxonomy: str, raw: str, code: str) -> None:
    """One word may mean different things in different standards."""
    assert classify(taxonomy, raw) == code


@pytest.mark.parametrize("code", CLAIM_TYPES)
def test_our_own_codes_stand_for_themselves(code: str) -> None:
    """In whatever case they are written."""
    assert classify("spotclaim", code) == classify("SpotClaim", code.lower()) == code


@pytest.mark.parametrize(
    ("taxonomy", "raw"),
    [
        ("ocpp1.6", "SomethingNew"),
        ("ocpp1.6", "Expired"),
        ("mrec", "CX999"),
        ("vendor:acme", "GroundFailure"),
        ("spotclaim", "NOT_A_CODE"),
        ("no such standard", ""),
    ],
)
def test_what_no_table_knows_is_other(taxonomy: str, raw: str) -> None:
    """A fault is never refused for its code."""
    assert classify(taxonomy, raw) == "OTHER"


def test_every_code_belongs_to_one_of_three_kinds_of_claim() -> None:
    """Allocation failures, usage discrepancies, and the equipment itself."""
    assert set(CLAIM_TYPES.values()) == {"allocation_failure", "usage_discrepancy", "equipment"}


def test_every_usage_discrepancy_can_be_corroborated() -> None:
    """A code without a list of findings could never be believed."""
    discrepancies = {code for code, kind in CLAIM_TYPES.items() if kind == "usage_discrepancy"}

    assert {code for code, wanted in CORROBORATING.items() if wanted} == discrepancies
