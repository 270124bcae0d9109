"""The errors Spotclaim knows, and how the field's own codes map to them.

Sources: OCPP 1.6 edition 2 (ChargePointErrorCode, ReservationStatus), OCPP 2.0.1 (ReserveNowStatusEnumType,
ReservationUpdateStatusEnumType), OCPI 2.2.1 (CommandResultType), ChargeX MREC revision 5.
A code that no table knows becomes `OTHER`; the raw code is always kept beside the one it maps to.
"""

from functools import lru_cache
from typing import Final

ALLOCATION_FAILURE: Final = "allocation_failure"
USAGE_DISCREPANCY: Final = "usage_discrepancy"
EQUIPMENT: Final = "equipment"
OTHER: Final = "OTHER"

CLAIM_TYPES: Final[dict[str, str]] = {
    "RESERVATION_NOT_CONFIRMED": ALLOCATION_FAILURE,
    "RESERVATION_REJECTED": ALLOCATION_FAILURE,
    "RESERVATION_LOST": ALLOCATION_FAILURE,
    "SPOT_OCCUPIED": ALLOCATION_FAILURE,
    "DOUBLE_ALLOCATION": ALLOCATION_FAILURE,
    "CONNECTOR_LOCK_FAILURE": ALLOCATION_FAILURE,
    "AUTHORIZATION_TIMEOUT": ALLOCATION_FAILURE,
    "SPOT_UNAVAILABLE": ALLOCATION_FAILURE,
    "METER_MISREAD": USAGE_DISCREPANCY,
    "METER_REGRESSION": USAGE_DISCREPANCY,
    "METER_UNREADABLE": USAGE_DISCREPANCY,
    "ENERGY_IMPLAUSIBLE": USAGE_DISCREPANCY,
    "SESSION_MISSING": USAGE_DISCREPANCY,
    "SESSION_OVERLAP": USAGE_DISCREPANCY,
    "DURATION_MISMATCH": USAGE_DISCREPANCY,
    "UNIT_MISMATCH": USAGE_DISCREPANCY,
    "GROUND_FAILURE": EQUIPMENT,
    "OVER_TEMPERATURE": EQUIPMENT,
    "OVER_CURRENT": EQUIPMENT,
    "OVER_VOLTAGE": EQUIPMENT,
    "UNDER_VOLTAGE": EQUIPMENT,
    "POWER_FAILURE": EQUIPMENT,
    "COMMUNICATION_FAILURE": EQUIPMENT,
    "CONTROLLER_FAILURE": EQUIPMENT,
    OTHER: EQUIPMENT,
}

_OCPP_16: Final = {
    "connectorlockfailure": "CONNECTOR_LOCK_FAILURE",
    "evcommunicationerror": "COMMUNICATION_FAILURE",
    "groundfailure": "GROUND_FAILURE",
    "hightemperature": "OVER_TEMPERATURE",
    "internalerror": "CONTROLLER_FAILURE",
    "locallistconflict": "CONTROLLER_FAILURE",
    "overcurrentfailure": "OVER_CURRENT",
    "overvoltage": "OVER_VOLTAGE",
    "powermeterfailure": "METER_UNREADABLE",
    "powerswitchfailure": "POWER_FAILURE",
    "readerfailure": "CONTROLLER_FAILURE",
    "resetfailure": "CONTROLLER_FAILURE",
    "undervoltage": "UNDER_VOLTAGE",
    "weaksignal": "COMMUNICATION_FAILURE",
    # ReservationStatus, as answered to ReserveNow.
    "faulted": "RESERVATION_NOT_CONFIRMED",
    "occupied": "SPOT_OCCUPIED",
    "rejected": "RESERVATION_REJECTED",
    "unavailable": "SPOT_UNAVAILABLE",
}

_OCPP_201: Final = _OCPP_16 | {
    "expired": "RESERVATION_LOST",
    "removed": "RESERVATION_LOST",
}

_OCPI_221: Final = {
    "evse_occupied": "SPOT_OCCUPIED",
    "evse_inoperative": "SPOT_UNAVAILABLE",
    "failed": "RESERVATION_NOT_CONFIRMED",
    "rejected": "RESERVATION_REJECTED",
    "timeout": "RESERVATION_NOT_CONFIRMED",
    "unknown_reservation": "RESERVATION_LOST",
    "canceled_reservation": "RESERVATION_LOST",
}

_MREC: Final = {
    "cx001": "CONNECTOR_LOCK_FAILURE",
    "cx002": "GROUND_FAILURE",
    "cx003": "OVER_TEMPERATURE",
    "cx004": "OVER_CURRENT",
    "cx005": "OVER_VOLTAGE",
    "cx006": "UNDER_VOLTAGE",
    "cx007": "COMMUNICATION_FAILURE",
    "cx009": "AUTHORIZATION_TIMEOUT",
    "cx013": "COMMUNICATION_FAILURE",
    "cx015": "POWER_FAILURE",
}

_TABLES: Final[dict[str, dict[str, str]]] = {
    "spotclaim": {code.lower(): code for code in CLAIM_TYPES},
    "ocpp1.6": _OCPP_16,
    "ocpp2.0.1": _OCPP_201,
    "ocpi2.2.1": _OCPI_221,
    "mrec": _MREC,
}


@lru_cache(maxsize=4096)
def classify(taxonomy: str, raw_code: str) -> str:
    """Spotclaim's own code for a code of the field; `OTHER` when no table knows it."""
    return _TABLES.get(taxonomy.lower(), {}).get(raw_code.lower(), OTHER)
