"""Says which findings corroborate which error code, and when a comparison of two sessions decides."""

from collections.abc import Collection
from typing import Final

from domain.eligibility import record_findings, sample_findings, session_findings
from domain.eligibility.session_findings import Finding
from domain.eligibility.signed import findings as signed

# A meter that is wrong in any way corroborates that it is wrong; what a code is about comes first.
_METER = (
    signed.SIGNED_VALUE_DISAGREES,
    record_findings.NEGATIVE_ENERGY,
    record_findings.REGISTER_FELL_BACK,
    session_findings.REGISTER_BELOW_PREVIOUS,
    sample_findings.REGISTER_FELL_WITHIN,
    record_findings.UNIT_SLIP,
    record_findings.FINAL_RECORDS_DISAGREE,
    sample_findings.REGISTER_LEAPT,
    session_findings.ENERGY_ADDED,
    record_findings.REGISTERS_DISAGREE,
    record_findings.PERIODS_DISAGREE,
    record_findings.BATTERY_EXCEEDED,
    record_findings.POWER_IMPLAUSIBLE,
    session_findings.POWER_ABOVE_SPOT,
    record_findings.REGISTER_UNKNOWN,
    record_findings.ENERGY_UNKNOWN,
    record_findings.ZERO_ENERGY,
)
_CLOCK = (
    record_findings.END_BEFORE_START,
    record_findings.TIME_IMPLAUSIBLE,
    record_findings.TIME_IN_FUTURE,
    record_findings.LOCAL_TIME_AS_UTC,
    record_findings.RECORDED_BEFORE_END,
    record_findings.END_MISSING,
    record_findings.OVER_24_HOURS,
)


def _first(*names: str, then: tuple[str, ...]) -> tuple[str, ...]:
    return (*names, *(name for name in then if name not in names))


# The findings that corroborate a code, the most telling first.
CORROBORATING: Final[dict[str, tuple[str, ...]]] = {
    "METER_MISREAD": _METER,
    "METER_REGRESSION": _first(
        record_findings.REGISTER_FELL_BACK,
        sample_findings.REGISTER_FELL_WITHIN,
        session_findings.REGISTER_BELOW_PREVIOUS,
        then=_METER,
    ),
    "METER_UNREADABLE": _first(
        record_findings.REGISTER_UNKNOWN,
        record_findings.ENERGY_UNKNOWN,
        record_findings.ENERGY_MISSING,
        then=_METER,
    ),
    "ENERGY_IMPLAUSIBLE": _first(
        record_findings.NEGATIVE_ENERGY,
        record_findings.BATTERY_EXCEEDED,
        record_findings.POWER_IMPLAUSIBLE,
        session_findings.POWER_ABOVE_SPOT,
        then=_METER,
    ),
    "UNIT_MISMATCH": _first(record_findings.UNIT_SLIP, then=_METER),
    "DURATION_MISMATCH": (*_CLOCK, session_findings.SESSIONS_OVERLAP),
    "SESSION_OVERLAP": (session_findings.SESSIONS_OVERLAP, *_CLOCK),
    "SESSION_MISSING": (record_findings.END_MISSING, record_findings.ENERGY_MISSING),
}

METER_CODES: Final = frozenset(code for code, wanted in CORROBORATING.items() if set(_METER) <= set(wanted))
"""The codes that say that a meter is wrong."""

# What makes the other record of a comparison no measure for this one: its own register or times are wrong.
_NO_MEASURE: Final = {
    session_findings.REGISTER_BELOW_PREVIOUS: frozenset(
        {
            record_findings.REGISTER_UNKNOWN,
            record_findings.REGISTER_FELL_BACK,
            record_findings.REGISTERS_DISAGREE,
            record_findings.UNIT_SLIP,
        }
    ),
    session_findings.SESSIONS_OVERLAP: frozenset(_CLOCK),
    session_findings.ENERGY_REPEATED: frozenset(),
    session_findings.ENERGY_ADDED: frozenset(),
    session_findings.POWER_UNUSUAL: frozenset(),
    session_findings.BEGAN_AT_ZERO: frozenset({record_findings.REGISTER_UNKNOWN, record_findings.UNIT_SLIP}),
    session_findings.ADVANCED_BETWEEN: frozenset({record_findings.REGISTER_UNKNOWN, record_findings.UNIT_SLIP}),
}


def decides(finding: Finding, about: Collection[str]) -> bool:
    """Checks whether a finding is about one of the records with these keys.

    Of two sessions that overlap it is about both; else about the one that is wrong beside the other. A record that
    is wrong by itself is no measure for another.
    """
    other = finding.other
    if other is None:
        return finding.record.key in about and signed.proves(finding.record, finding.name)
    overlap = finding.name == session_findings.SESSIONS_OVERLAP
    if overlap and finding.record.key not in about and other.key in about:
        return not _NO_MEASURE[finding.name].intersection(finding.record.findings)
    return finding.record.key in about and not _NO_MEASURE[finding.name].intersection(other.findings)
