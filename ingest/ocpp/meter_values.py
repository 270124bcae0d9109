"""Reads the energy register over a session.

Sources: OCPP 1.6 section 7.31 (MeterValue), OCPP 2.0.1 MeterValueType.
"""

from typing import Any, Final

from ingest.ocpp import energy
from ingest.ocpp.frame import inner, objects
from ingest.ocpp.signed_values import is_signed

_ENERGY_REGISTER: Final = "Energy.Active.Import.Register"
# Other measurement locations count other energy: the vehicle's own, or that before losses.
_OUTLET: Final = (None, "Outlet")
_LARGEST_EXPONENT: Final = 12
_LARGEST_READING: Final = 1e200
MOST_SAMPLES: Final = 100


def register_kwh(reading: Any) -> float | None:
    """Converts a register in Wh to kWh; None for what is no number."""
    return number(energy.kwh(reading))


def number(value: Any) -> float | None:
    """Parses a reading; None for what no meter could show."""
    try:
        reading = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return reading if abs(reading) < _LARGEST_READING else None


def samples(meter_values: Any) -> list[dict[str, Any]]:
    """Returns each reading of the energy register.

    `{"at": time as sent, "register_kwh": number, or text as sent}`
    """
    return [
        {"at": meter_value.get("timestamp"), "register_kwh": _kwh(sampled)}
        for meter_value in objects(meter_values)
        for sampled in objects(meter_value.get("sampledValue"))
        if _is_energy_register(sampled)
    ]


def add(kept: list[dict[str, Any]], more: list[dict[str, Any]]) -> None:
    """Appends new readings, at most `MOST_SAMPLES`.

    Beyond that, every second one is dropped, but never the first or the last.
    """
    kept += [sample for sample in more if sample not in kept[-MOST_SAMPLES:]]
    while len(kept) > MOST_SAMPLES:
        del kept[1:-1:2]


def _is_energy_register(sampled: dict[str, Any]) -> bool:
    return (
        sampled.get("measurand", _ENERGY_REGISTER) == _ENERGY_REGISTER
        and not sampled.get("phase")
        and sampled.get("location") in _OUTLET
        and not is_signed(sampled)
    )


def _kwh(sampled: dict[str, Any]) -> Any:
    """Reads a value in kWh; OCPP 1.6 and 2.x state the unit differently.

    OCPP 1.6 has the unit beside the value, 2.x inside `unitOfMeasure`, with a power of ten.
    """
    value = sampled.get("value")
    unit = sampled.get("unit") or inner(sampled, "unitOfMeasure", "unit") or "Wh"
    reading = number(value)
    if reading is None or reading == energy.UNREAD:
        return value if reading is None else reading
    reading = _scaled(reading, inner(sampled, "unitOfMeasure", "multiplier"))
    return reading if unit == "kWh" else reading / 1000


def _scaled(reading: float, exponent: Any) -> float:
    if not isinstance(exponent, int) or abs(exponent) > _LARGEST_EXPONENT:
        return reading
    return float(reading * 10**exponent if exponent > 0 else reading / 10**-exponent)
