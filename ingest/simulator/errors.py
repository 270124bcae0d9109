"""The fleet's errors, and their rates."""

from functools import lru_cache
from typing import Final

from ingest.simulator import reports
from ingest.simulator.chance import Chance
from ingest.simulator.moments import DAY
from ingest.simulator.reports import ErrorKind

OCPP: Final = "ocpp1.6"
_OWN: Final = "spotclaim"

TROUBLES: Final = (
    ErrorKind("COMMUNICATION_FAILURE", OCPP, "WeakSignal", None, 0.0024, 20),
    ErrorKind("CONNECTOR_LOCK_FAILURE", OCPP, "ConnectorLockFailure", "Latch could not engage", 0.0012, 35),
    ErrorKind("CONTROLLER_FAILURE", OCPP, "InternalError", "Watchdog restart", 0.0009, 10),
    ErrorKind("GROUND_FAILURE", OCPP, "GroundFailure", "RCD tripped", 0.0003, 90),
    ErrorKind("METER_UNREADABLE", OCPP, "PowerMeterFailure", "Meter does not answer", 0.0003, 240),
    ErrorKind("OVER_CURRENT", OCPP, "OverCurrentFailure", None, 0.0003, 15),
    ErrorKind("OVER_TEMPERATURE", OCPP, "HighTemperature", "Connector above 90 C", 0.0002, 60),
    ErrorKind("OVER_VOLTAGE", OCPP, "OverVoltage", None, 0.0002, 10),
    ErrorKind("POWER_FAILURE", OCPP, "PowerSwitchFailure", "Contactor welded", 0.0003, 180),
    ErrorKind("UNDER_VOLTAGE", OCPP, "UnderVoltage", None, 0.0006, 12),
    ErrorKind("RESERVATION_NOT_CONFIRMED", OCPP, "Faulted", None, 0.0006, 0, of_reservation=True),
    ErrorKind("RESERVATION_REJECTED", OCPP, "Rejected", None, 0.0004, 0, of_reservation=True),
    ErrorKind("SPOT_OCCUPIED", OCPP, "Occupied", None, 0.0015, 0, of_reservation=True),
    ErrorKind("SPOT_UNAVAILABLE", OCPP, "Unavailable", None, 0.0003, 0, of_reservation=True),
)
COMPLAINTS: Final = {
    reports.NEGATIVE_ENERGY: ErrorKind("METER_MISREAD", _OWN, "METER_MISREAD", "Energy is negative", 0, 0),
    reports.REGRESSION: ErrorKind("METER_REGRESSION", _OWN, "METER_REGRESSION", "Register fell back", 0, 0),
    reports.UNIT_SLIP: ErrorKind("UNIT_MISMATCH", _OWN, "UNIT_MISMATCH", "A thousand times too much", 0, 0),
    reports.MISSING_END: ErrorKind("SESSION_MISSING", _OWN, "SESSION_MISSING", "Never billed", 0, 0),
}
"""What drivers file when a session's record has a meter fault."""
BY_CODE: Final = {kind.code: kind for kind in TROUBLES}
"""The errors that an outbreak can have."""

_LOWEST_FACTOR, _HIGHEST_FACTOR = 0.5, 1.5
# Half of the days are calm and a few are bad: errors cluster more than independent chance would have it.
_DAYS: Final = (0.5, 0.5, 1.0, 1.0, 2.0)
WORST_DAY: Final = max(_DAYS)


@lru_cache
def rates(seed: int, zone: str) -> tuple[float, ...]:
    """Returns how often a spot of the zone has each of `TROUBLES`. Per hour, averaged over the week."""
    return tuple(kind.an_hour * _factor(seed, zone, kind.code) for kind in TROUBLES)


def _factor(seed: int, zone: str, code: str) -> float:
    return Chance(seed, "rate", zone, code).between(_LOWEST_FACTOR, _HIGHEST_FACTOR)


def day_factor(seed: int, zone: str, at: int) -> float:
    """Returns the day's factor on all error rates of the zone; 1 on average. Days are those of UTC."""
    return _factor_of_day(seed, zone, at // DAY)


@lru_cache(maxsize=8192)
def _factor_of_day(seed: int, zone: str, day: int) -> float:
    return Chance(seed, "day", zone, day).pick(_DAYS)
