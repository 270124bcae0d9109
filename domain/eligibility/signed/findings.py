"""Finds what is wrong with a usage record by the signed meter values that came with it."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from domain.eligibility import record_findings
from domain.eligibility.contradiction import ROUNDING_KWH
from domain.eligibility.wording import kwh
from domain.field.signed_value import INVALID, UNVERIFIED, VERIFIED, CheckedValue, SignedReading
from domain.field.usage import UsageRecord

SIGNATURE_INVALID: Final = "SIGNATURE_INVALID"
SIGNATURE_UNVERIFIED: Final = "SIGNATURE_UNVERIFIED"
SIGNED_VALUE_DISAGREES: Final = "SIGNED_VALUE_DISAGREES"

# A billionth more, for sums that no binary number holds.
_SLACK = 1e-9


class SignedEnergy(NamedTuple):
    """What a meter signed of a session: its register at either end, kWh, and whether that was verified."""

    begin: float
    end: float
    verified: bool

    @property
    def kwh(self) -> float:
        """Returns the energy between both ends."""
        return self.end - self.begin


def findings(record: UsageRecord) -> list[str]:
    """Names what is wrong with the record by its signed values, once these are checked."""
    outcomes = {value.outcome for value in record.checked}
    found = {
        SIGNATURE_INVALID: INVALID in outcomes,
        SIGNATURE_UNVERIFIED: UNVERIFIED in outcomes,
        SIGNED_VALUE_DISAGREES: _disagreeing(record) is not None,
    }
    return [name for name, holds in found.items() if holds]


def weighty(names: Iterable[str]) -> list[str]:
    """Leaves out what makes no record unsound: a signature that nobody verified is no worse than none."""
    return [name for name in names if name != SIGNATURE_UNVERIFIED]


def proves(record: UsageRecord, name: str) -> bool:
    """Checks whether a finding of the record proves what it says: a signed value does if it is verified."""
    if name != SIGNED_VALUE_DISAGREES:
        return True
    signed = _disagreeing(record)
    return signed is not None and signed.verified


def clause(record: UsageRecord) -> str:
    """Describes in a clause about the session how its signed value disagrees."""
    signed = _disagreeing(record)
    return "" if signed is None else f"{_billed(record)}, while its meter signed {_spelled(signed)}"


def remarks(record: UsageRecord) -> str:
    """Says in sentences, each after a space, what is to be said of the record's signed values."""
    signed = _disagreeing(record)
    said = [] if signed is None else [f"Its meter signed {_spelled(signed)}; the record {_billed(record)}."]
    return "".join(f" {sentence}" for sentence in (*said, *doubts(record.checked)))


def doubts(values: Sequence[CheckedValue]) -> list[str]:
    """Says why signed values are invalid or not verified, each reason once."""
    words = {INVALID: "A signed value is invalid", UNVERIFIED: "A signature is not verified"}
    reasons = {word: dict.fromkeys(one.reason for one in values if one.outcome == word) for word in words}
    return [f"{words[word]}: {'; '.join(why)}." for word, why in reasons.items() if why]


def signed_energy(record: UsageRecord) -> SignedEnergy | None:
    """Returns what the meter signed of the session; of several registers the one nearest to what is billed.

    What is verified counts before what is not, and only as verified if it is so at both ends.
    """
    for outcomes in ((VERIFIED,), (VERIFIED, UNVERIFIED)):
        spans = _spans([value for value in record.checked if value.outcome in outcomes])
        if spans:
            billed = record.energy_kwh if record.energy_kwh is not None else record_findings.moved(record) or 0.0
            begin, end = min(spans, key=lambda span: abs(span[1] - span[0] - billed))
            return SignedEnergy(begin, end, verified=UNVERIFIED not in outcomes)
    return None


def _disagreeing(record: UsageRecord) -> SignedEnergy | None:
    """Returns the signed energy if it differs from the energy on record, or from what the registers moved."""
    signed = None if record.under_way else signed_energy(record)
    if signed is None:
        return None
    unread = record_findings.ENERGY_UNKNOWN in record.findings
    billed, moved = None if unread else record.energy_kwh, record_findings.moved(record)
    compared = ((billed, ROUNDING_KWH), (moved, record_findings.REGISTER_TOLERANCE_KWH))
    differs = any(one is not None and abs(signed.kwh - one) > tolerance + _SLACK for one, tolerance in compared)
    return signed if differs else None


def _spans(values: Sequence[CheckedValue]) -> list[tuple[float, float]]:
    """Lists begin and end of each register: those of one text, or else those of all texts together."""
    whole = [span for value in values for span in _of_registers(value.readings)]
    return whole or _of_registers([reading for value in values for reading in value.readings])


def _of_registers(readings: Sequence[SignedReading]) -> list[tuple[float, float]]:
    begins, ends = dict[str, float](), dict[str, float]()
    for one in readings:
        if one.begin:
            begins[one.register] = min(one.kwh, begins.get(one.register, one.kwh))
        else:
            ends[one.register] = max(one.kwh, ends.get(one.register, one.kwh))
    return [(begins[register], end) for register, end in ends.items() if register in begins]


def _billed(record: UsageRecord) -> str:
    if record.energy_kwh is None:
        return f"has registers that moved {kwh(record_findings.moved(record))} kWh"
    return f"states {kwh(record.energy_kwh)} kWh"


def _spelled(signed: SignedEnergy) -> str:
    return f"{kwh(signed.kwh)} kWh ({kwh(signed.begin)} to {kwh(signed.end)} kWh)"
