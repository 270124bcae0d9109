"""Reads the energy register over a session.

Sources: OCPP 1.6 sections 7.31 (MeterValue) and 7.32 (ReadingContext), OCPP 2.0.1 MeterValueType.
"""

from typing import Any, Final

from ingest.ocpp import energy
from ingest.ocpp.frame import inner, objects
from ingest.ocpp.signed_values import is_signed

_ENERGY_REGISTER: Final = "Energy.Active.Import.Register"
_POWER: Final = "Power.Active.Import"
# Other measurement locations count other energy: the vehicle's own, or that before losses.
_OUTLET: Final = (None, "Outlet")
_LARGEST_EXPONENT: Final = 12
_LARGEST_READING: Final = 1e200
_LONGEST_CONTEXT: Final = 50
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
    """Returns each reading of the energy register, and the power beside it.

    `{"at": time as sent, "register_kwh": number, or text as sent, "power_kw": number}`, with its `context` if that
    is stated.
    """
    return [sample for meter_value in objects(meter_values) for sample in _of_one_moment(meter_value)]


def _of_one_moment(meter_value: dict[str, Any]) -> list[dict[str, Any]]:
    sampled, at = objects(meter_value.get("sampledValue")), {"at": meter_value.get("timestamp")}
    read = [
        at | {"register_kwh": _kilo(one)} | _context(one) for one in sampled if _is_whole(one, _ENERGY_REGISTER)
    ]
    powers = (number(_kilo(one)) for one in sampled if _is_whole(one, _POWER))
    power = next((power for power in powers if power is not None and power >= 0), None)
    if power is None:
        return read
    first, *others = read or [at]
    return [first | {"power_kw": power}, *others]


def first_of(readings: list[dict[str, Any]], *contexts: str | None) -> float | None:
    """Returns the first register among the readings of these contexts; None where there is none."""
    shown = (number(one.get("register_kwh")) for one in readings if one.get("context") in contexts)
    return next((register for register in shown if register is not None), None)


def last_of(readings: list[dict[str, Any]], *contexts: str | None) -> float | None:
    """Returns the last register among the readings of these contexts.

    Of several at one moment it is the first, as at the begin: they are of several registers.
    """
    times = [one["at"] for one in readings if one.get("context") in contexts and "register_kwh" in one]
    return first_of([one for one in readings if one["at"] == times[-1]], *contexts) if times else None


def add(kept: list[dict[str, Any]], more: list[dict[str, Any]]) -> None:
    """Appends new readings, at most `MOST_SAMPLES`.

    Beyond that, every second one is dropped, but never the first or the last.
    """
    kept += [sample for sample in more if sample not in kept[-MOST_SAMPLES:]]
    while len(kept) > MOST_SAMPLES:
        del kept[1:-1:2]


def _is_whole(sampled: dict[str, Any], measurand: str) -> bool:
    return (
        sampled.get("measurand", _ENERGY_REGISTER) == measurand
        and not sampled.get("phase")
        and sampled.get("location") in _OUTLET
        and not is_signed(sampled)
    )


def _context(sampled: dict[str, Any]) -> dict[str, Any]:
    context = sampled.get("context")
    return {"context": context[:_LONGEST_CONTEXT]} if isinstance(context, str) else {}


def _kilo(sampled: dict[str, Any]) -> Any:
    """Reads a value in kWh or kW; OCPP 1.6 and 2.x state the unit differently.

    OCPP 1.6 has the unit beside the value, 2.x inside `unitOfMeasure`, with a power of ten.
    """
    value = sampled.get("value")
    unit = sampled.get("unit") or inner(sampled, "unitOfMeasure", "unit") or "Wh"
    reading = number(value)
    if reading is None or reading == energy.UNREAD:
        return value if reading is None else reading
    reading = _scaled(reading, inner(sampled, "unitOfMeasure", "multiplier"))
    return reading if unit in ("kWh", "kW") else reading / 1000


def _scaled(reading: float, exponent: Any) -> float:
    if not isinstance(exponent, int) or abs(exponent) > _LARGEST_EXPONENT:
        return reading
    return float(reading * 10**exponent if exponent > 0 else reading / 10**-exponent)
