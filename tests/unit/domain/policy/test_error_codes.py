"""Codes of the field and what they mean here."""

import pytest

from domain.eligibility.corroboration import CORROBORATING
from domain.policy.error_codes import CLAIM_TYPES, classify, parties_of

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
    ("ocpi2.2.1", "NOT_SUPPORTED", "RESERVATION_REJECTED"),
    ("ocpi2.3", "FAILED", "RESERVATION_NOT_CONFIRMED"),
    ("ocpi2.3", "REJECTED", "RESERVATION_REJECTED"),
    ("ocpi2.3", "CANCELED", "RESERVATION_LOST"),
    ("mrec", "CX001", "CONNECTOR_LOCK_FAILURE"),
    ("ocpp2.0.1", "NoTransaction", "SESSION_MISSING"),
    ("ocpp2.0.1", "PowerContactor.Problem", "POWER_FAILURE"),
    ("ocpp2.0.1", "TemperatureSensor.Temperature", "OVER_TEMPERATURE"),
    ("ocpp2.0.1", "TemperatureSensor.Problem", "CONTROLLER_FAILURE"),
    ("vendor:com.evgo.mrec", "A005", "CONNECTOR_LOCK_FAILURE"),
    ("vendor:com.evgo.mrec", "F006", "GROUND_FAILURE"),
    ("vendor:org.charin.uec.v1", "GridPowerLoss", "POWER_FAILURE"),
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
        ("vendor:com.evgo.mrec", "F011"),
        ("ocpp2.0.1", "EVSE.DCVoltage"),
        ("ocpp1.6", "PowerContactor.Problem"),
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


# EV user, charging station operator, charging station, vehicle: whom ChargeX holds responsible for each code.
MREC_PARTIES = {
    "v": "016",
    "s": "003 015 017 018 024",
    "uv": "001 010",
    "us": "008",
    "os": "007 013 025 026",
    "sv": "002 004 005 006 011 012 014 019 021 022 023",
    "usv": "020",
    "uosv": "009",
}
PARTY = {"u": "user", "o": "operator", "s": "station", "v": "vehicle"}


@pytest.mark.parametrize(
    ("number", "initials"), [(number, who) for who, numbers in MREC_PARTIES.items() for number in numbers.split()]
)
def test_every_mrec_code_names_who_is_responsible(number: str, initials: str) -> None:
    """However it is spelt."""
    expected = {PARTY[initial] for initial in initials}

    assert parties_of("mrec", f"CX{number}") == parties_of("MREC", f"cx{number}") == expected


def test_all_mrec_codes_are_there() -> None:
    """CX001 to CX026, each once."""
    numbers = sorted(number for numbers in MREC_PARTIES.values() for number in numbers.split())

    assert numbers == [f"{number:03d}" for number in range(1, 27)]


def test_evgos_codes_name_those_whom_chargexs_name() -> None:
    """They came before, and mean the same."""
    assert parties_of("vendor:com.evgo.mrec", "a000") == parties_of("mrec", "CX009")
    assert parties_of("vendor:com.evgo.mrec", "A005") == {"user", "station"}


def test_other_taxonomies_name_nobody() -> None:
    """Nor do codes that MREC does not have."""
    assert parties_of("ocpp1.6", "CX001") == parties_of("mrec", "CX027") == parties_of("mrec", "") == set()
