"""Defines Spotclaim's error codes, and how the field's own codes map to them.

Sources: OCPP 1.6 edition 2 (ChargePointErrorCode, ReservationStatus), OCPP 2.0.1 and 2.1
(ReserveNowStatusEnumType, ReservationUpdateStatusEnumType, standardized components and variables), OCPI 2.2.1
(CommandResultType), OCPI 2.3 (ReservationStatus), ChargeX MREC revision 5 (codes and parties responsible), EVgo
MREC 1.0.1, CharIN Unified Error Codes. Which of our codes each comes nearest to is our reading. A code that no
table knows becomes `OTHER`; the raw code is always kept beside the one it maps to.
"""

from functools import lru_cache
from typing import Final

from domain.policy.policy import Party

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
    # Of 2.1: the reservation was used, and no transaction came of it.
    "notransaction": "SESSION_MISSING",
    # Events of the device model, by component, or by component and variable where that matters.
    "acdcconverter": "POWER_FAILURE",
    "clockctrlr": "CONTROLLER_FAILURE",
    "connectorplugretentionlock": "CONNECTOR_LOCK_FAILURE",
    "controller": "CONTROLLER_FAILURE",
    "controlmetering": "METER_UNREADABLE",
    "cppwmcontroller": "COMMUNICATION_FAILURE",
    "datalink": "COMMUNICATION_FAILURE",
    "electricalfeed": "POWER_FAILURE",
    "elvsupply": "POWER_FAILURE",
    "evretentionlock": "CONNECTOR_LOCK_FAILURE",
    "evse.overload": "OVER_CURRENT",
    "fiscalmetering": "METER_UNREADABLE",
    "groundisolationprotection": "GROUND_FAILURE",
    "iso15118ctrlr": "COMMUNICATION_FAILURE",
    "localcontroller": "CONTROLLER_FAILURE",
    "ocppcommctrlr": "COMMUNICATION_FAILURE",
    "overcurrentprotection": "OVER_CURRENT",
    "overcurrentprotectionrecloser": "OVER_CURRENT",
    "powercontactor": "POWER_FAILURE",
    "rcd": "GROUND_FAILURE",
    "rcdrecloser": "GROUND_FAILURE",
    "realtimeclock": "CONTROLLER_FAILURE",
    "temperaturesensor": "OVER_TEMPERATURE",
    # The sensor itself.
    "temperaturesensor.problem": "CONTROLLER_FAILURE",
    "tokenreader": "CONTROLLER_FAILURE",
    "upstreamprotectiontrigger": "POWER_FAILURE",
}

_OCPI_221: Final = {
    "evse_occupied": "SPOT_OCCUPIED",
    "evse_inoperative": "SPOT_UNAVAILABLE",
    "failed": "RESERVATION_NOT_CONFIRMED",
    "rejected": "RESERVATION_REJECTED",
    "timeout": "RESERVATION_NOT_CONFIRMED",
    "unknown_reservation": "RESERVATION_LOST",
    "canceled_reservation": "RESERVATION_LOST",
    "not_supported": "RESERVATION_REJECTED",
}

# ReservationStatus of a Booking.
_OCPI_23: Final = {
    "failed": "RESERVATION_NOT_CONFIRMED",
    "rejected": "RESERVATION_REJECTED",
    "canceled": "RESERVATION_LOST",
}

# Each code with Spotclaim's code and the parties that may be responsible.
_MREC: Final[dict[str, tuple[str, frozenset[Party]]]] = {
    "cx001": ("CONNECTOR_LOCK_FAILURE", frozenset({"user", "vehicle"})),
    "cx002": ("GROUND_FAILURE", frozenset({"station", "vehicle"})),
    "cx003": ("OVER_TEMPERATURE", frozenset({"station"})),
    "cx004": ("OVER_CURRENT", frozenset({"station", "vehicle"})),
    "cx005": ("OVER_VOLTAGE", frozenset({"station", "vehicle"})),
    "cx006": ("UNDER_VOLTAGE", frozenset({"station", "vehicle"})),
    "cx007": ("COMMUNICATION_FAILURE", frozenset({"operator", "station"})),
    # Emergency stop.
    "cx008": (OTHER, frozenset({"user", "station"})),
    "cx009": ("AUTHORIZATION_TIMEOUT", frozenset({"user", "operator", "station", "vehicle"})),
    # Vehicle in no state to be charged.
    "cx010": (OTHER, frozenset({"user", "vehicle"})),
    # Cable check, which finds faults of the insulation.
    "cx011": ("GROUND_FAILURE", frozenset({"station", "vehicle"})),
    # Voltage not reached before charging.
    "cx012": ("POWER_FAILURE", frozenset({"station", "vehicle"})),
    "cx013": ("COMMUNICATION_FAILURE", frozenset({"operator", "station"})),
    # Control pilot, which station and vehicle communicate by.
    "cx014": ("COMMUNICATION_FAILURE", frozenset({"station", "vehicle"})),
    "cx015": ("POWER_FAILURE", frozenset({"station"})),
    # Contactors: of the vehicle, of the station.
    "cx016": ("POWER_FAILURE", frozenset({"vehicle"})),
    "cx017": ("POWER_FAILURE", frozenset({"station"})),
    # Cable too hot: less power, none.
    "cx018": ("OVER_TEMPERATURE", frozenset({"station"})),
    "cx019": ("OVER_TEMPERATURE", frozenset({"station", "vehicle"})),
    # Plug not fully in.
    "cx020": ("CONNECTOR_LOCK_FAILURE", frozenset({"user", "station", "vehicle"})),
    # Insulation while charging: capacitance too high, resistance too low.
    "cx021": ("GROUND_FAILURE", frozenset({"station", "vehicle"})),
    "cx022": ("GROUND_FAILURE", frozenset({"station", "vehicle"})),
    # Proximity pilot, which detects the plug.
    "cx023": ("COMMUNICATION_FAILURE", frozenset({"station", "vehicle"})),
    # Voltage at the plug while nobody charges.
    "cx024": ("OVER_VOLTAGE", frozenset({"station"})),
    "cx025": ("CONNECTOR_LOCK_FAILURE", frozenset({"operator", "station"})),
    # Cable cut off.
    "cx026": (OTHER, frozenset({"operator", "station"})),
}

# EVgo's own codes, which came before ChargeX's: each means one of those, except the last.
_EVGO: Final[dict[str, tuple[str, frozenset[Party]]]] = {
    "a000": _MREC["cx009"],
    "a001": _MREC["cx020"],
    "a002": _MREC["cx001"],
    "a003": _MREC["cx010"],
    "a004": _MREC["cx008"],
    "f000": _MREC["cx023"],
    "f001": _MREC["cx023"],
    "f002": _MREC["cx014"],
    "f003": _MREC["cx014"],
    "f004": _MREC["cx025"],
    "f005": _MREC["cx011"],
    "f006": _MREC["cx022"],
    "f007": _MREC["cx021"],
    "f008": _MREC["cx024"],
    "f009": _MREC["cx019"],
    "f010": _MREC["cx026"],
    # The lock of a CHAdeMO plug.
    "a005": ("CONNECTOR_LOCK_FAILURE", frozenset({"user", "station"})),
}

# CharIN's names, in their present spelling and in those of earlier lists.
_UEC: Final = {
    "authorizationtimeoutserver": "AUTHORIZATION_TIMEOUT",
    "authorizationtimeoutuser": "AUTHORIZATION_TIMEOUT",
    "connectorlockfailure": "CONNECTOR_LOCK_FAILURE",
    "contactorfault": "POWER_FAILURE",
    "contactorposition": "POWER_FAILURE",
    "controlpilotfault": "COMMUNICATION_FAILURE",
    "gridpowerloss": "POWER_FAILURE",
    "hightemperature": "OVER_TEMPERATURE",
    "insulationfault": "GROUND_FAILURE",
    "overcurrent": "OVER_CURRENT",
    "overvoltage": "OVER_VOLTAGE",
    "plcfault": "COMMUNICATION_FAILURE",
    "plclinklost": "COMMUNICATION_FAILURE",
    "plcnotfound": "COMMUNICATION_FAILURE",
    "powerloss": "POWER_FAILURE",
    "powermodulefault": "POWER_FAILURE",
    "proximitypilotfault": "COMMUNICATION_FAILURE",
    "slactimeout": "COMMUNICATION_FAILURE",
    "undervoltage": "UNDER_VOLTAGE",
}

_RESPONSIBLE: Final = {"mrec": _MREC, "vendor:com.evgo.mrec": _EVGO}

OWN_TAXONOMY: Final = "spotclaim"

_TABLES: Final[dict[str, dict[str, str]]] = {
    OWN_TAXONOMY: {code.lower(): code for code in CLAIM_TYPES},
    "ocpp1.6": _OCPP_16,
    "ocpp2.0.1": _OCPP_201,
    "ocpi2.2.1": _OCPI_221,
    "ocpi2.3": _OCPI_23,
    "vendor:org.charin.uec.v1": _UEC,
    **{name: {raw: code for raw, (code, _) in table.items()} for name, table in _RESPONSIBLE.items()},
}

# The parties that a warranty claim can be a matter of: the equipment and its operator.
OURS: Final[frozenset[Party]] = frozenset({"station", "operator"})
# Errors for which a report may name somebody else as responsible.
CODES_OF_OTHERS: Final = frozenset(code for code, parties in _MREC.values() if not parties & OURS)


@lru_cache(maxsize=4096)
def classify(taxonomy: str, raw_code: str) -> str:
    """Maps a code of the field to Spotclaim's own; `OTHER` if no table has it."""
    table, code = _TABLES.get(taxonomy.lower(), {}), raw_code.lower()
    # A component and its variable; most components mean the same by all of theirs.
    return table.get(code) or table.get(code.partition(".")[0], OTHER)


def reports_nothing(taxonomy: str, raw_code: str) -> bool:
    """Checks whether a taxonomy uses this code to say that nothing is wrong."""
    return raw_code.lower() == "noerror" and taxonomy.lower() == "ocpp1.6"


def parties_of(taxonomy: str, raw_code: str) -> frozenset[Party]:
    """Returns the parties that a taxonomy makes responsible for its code.

    Empty where the taxonomy names nobody.
    """
    return _RESPONSIBLE.get(taxonomy.lower(), {}).get(raw_code.lower(), ("", frozenset[Party]()))[1]
