"""Evaluates whether usage records corroborate a claim."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.audit import chain
from domain.claims.claim import Claim
from domain.eligibility import record_findings, session_findings
from domain.eligibility.evaluation import FAIL, INSUFFICIENT, PASS, EvaluationInput, RuleResult
from domain.eligibility.session_findings import Finding
from domain.field.usage import UsageRecord
from domain.policy.error_codes import ALLOCATION_FAILURE, EQUIPMENT
from domain.policy.policy import Policy
from domain.text import count, measure

# A meter that is wrong in any way corroborates that it is wrong; what a code is about comes first.
_METER = (
    record_findings.NEGATIVE_ENERGY,
    record_findings.REGISTER_FELL_BACK,
    session_findings.REGISTER_BELOW_PREVIOUS,
    record_findings.UNIT_SLIP,
    record_findings.REGISTERS_DISAGREE,
    record_findings.PERIODS_DISAGREE,
    record_findings.BATTERY_EXCEEDED,
    record_findings.POWER_IMPLAUSIBLE,
    session_findings.POWER_ABOVE_SPOT,
    record_findings.REGISTER_UNKNOWN,
    record_findings.ENERGY_UNKNOWN,
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
        record_findings.REGISTER_FELL_BACK, session_findings.REGISTER_BELOW_PREVIOUS, then=_METER
    ),
    "METER_UNREADABLE": _first(
        record_findings.REGISTER_UNKNOWN,
        record_findings.ENERGY_UNKNOWN,
        record_findings.ENERGY_MISSING,
        then=(*_METER, record_findings.ZERO_ENERGY),
    ),
    "ENERGY_IMPLAUSIBLE": _first(
        record_findings.NEGATIVE_ENERGY,
        record_findings.BATTERY_EXCEEDED,
        record_findings.POWER_IMPLAUSIBLE,
        session_findings.POWER_ABOVE_SPOT,
        then=(*_METER, record_findings.ZERO_ENERGY),
    ),
    "UNIT_MISMATCH": _first(record_findings.UNIT_SLIP, then=_METER),
    "DURATION_MISMATCH": (*_CLOCK, session_findings.SESSIONS_OVERLAP),
    "SESSION_OVERLAP": (session_findings.SESSIONS_OVERLAP, *_CLOCK),
    "SESSION_MISSING": (record_findings.END_MISSING, record_findings.ENERGY_MISSING),
}

# A reservation that was served in the end contradicts these. A lock can fail in a session as well as before.
_NEVER_SERVED = frozenset(
    {
        "RESERVATION_NOT_CONFIRMED",
        "RESERVATION_REJECTED",
        "RESERVATION_LOST",
        "SPOT_OCCUPIED",
        "DOUBLE_ALLOCATION",
        "AUTHORIZATION_TIMEOUT",
        "SPOT_UNAVAILABLE",
    }
)


def usage_corroborates(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Demands that usage records corroborate the claim, if its error leaves a trace."""
    if case.claim.claim_type == EQUIPMENT:
        return _answer(PASS, "NOT_DEMANDED", "An equipment fault needs no usage record.")
    if case.claim.claim_type == ALLOCATION_FAILURE:
        return _allocation(case)
    return _discrepancy(case, policy)


def _answer(result: str, reason: str, sentence: str, *records: UsageRecord | None) -> RuleResult:
    given = [_facts(record) for record in records if record is not None]
    facts = given[0] | ({"other": given[1]} if given[1:] else {}) if given else {}
    return RuleResult("usage_corroborates", result, reason, sentence, facts)


def _allocation(case: EvaluationInput) -> RuleResult:
    """Passes unless the spot served the very person that it was promised to."""
    claim, moment = case.claim, case.claim.first_seen_at
    if claim.reservation_id and claim.code in _NEVER_SERVED:
        served = [record for record in case.usage if record.reservation_id == claim.reservation_id]
        if served:
            return _under_reservation(_nearest(served, claim), claim.reservation_id)
    running = [record for record in case.usage if record.running_at(moment)]
    if claim.code == "DOUBLE_ALLOCATION":
        for finding in session_findings.findings(running, None, (session_findings.SESSIONS_OVERLAP,)):
            return _answer(PASS, finding.name, finding.describe(), finding.record, finding.other)
    if running:
        record = _nearest(running, claim)
        sentence = f"Session {record.session_id} was using the spot at that moment."
        return _answer(PASS, "ANOTHER_SESSION_RUNNING", sentence, record)
    return _answer(PASS, "NO_SESSION_SERVED", "No session on record used the spot at that moment.")


def _under_reservation(record: UsageRecord, reservation_id: str) -> RuleResult:
    if record.ended_at is not None and record.energy_kwh is not None and record.energy_kwh <= 0:
        sentence = f"Session {record.session_id} used reservation {reservation_id} and delivered no energy."
        return _answer(PASS, "RESERVATION_WITHOUT_ENERGY", sentence, record)
    sentence = f"Session {record.session_id} used reservation {reservation_id}: it was honoured."
    return _answer(FAIL, "RESERVATION_HONOURED", sentence, record)


def _discrepancy(case: EvaluationInput, policy: Policy) -> RuleResult:
    claim, window = case.claim, timedelta(days=policy.corroboration_window_days)
    power = case.spot.max_power_kw if case.spot else None
    near = [record for record in case.usage if _distance(record, claim.first_seen_at) <= window]
    if claim.code == "SESSION_MISSING" and (answer := _recorded(claim, near)):
        return answer
    telling = _most_telling(claim, near, power)
    if telling is not None:
        return _answer(PASS, telling.name, telling.describe(), telling.record, telling.other)
    if claim.code == "SESSION_MISSING":
        return _missing(claim, near)
    witness = _sound_witness(claim, near)
    if witness is not None:
        show = "shows" if len(near) == 1 else "show"
        sentence = f"The {count(len(near), 'usage record')} around the fault {show} nothing of the kind."
        return _answer(FAIL, "USAGE_CONSISTENT", sentence, witness)
    return _far_off(case, near, policy, power)


def _far_off(
    case: EvaluationInput, near: Sequence[UsageRecord], policy: Policy, power: float | None
) -> RuleResult:
    days = measure(policy.corroboration_window_days, "day")
    if near:
        sentence = "No usage record of the time of the fault, or of its connector after it, is on file yet."
        return _answer(INSUFFICIENT, "USAGE_MISSING", sentence)
    telling = _most_telling(case.claim, case.usage, power)
    if telling is None:
        return _answer(
            INSUFFICIENT, "USAGE_MISSING", f"No usage record within {days} of the fault is on file yet."
        )
    sentence = f"No usage record lies within {days} of the fault; the nearest that tells: {telling.describe()}"
    return _answer(PASS, telling.name, sentence, telling.record, telling.other)


def _recorded(claim: Claim, near: Sequence[UsageRecord]) -> RuleResult | None:
    """Fails a missing session that is on record, whole."""
    wanted = CORROBORATING[claim.code]
    claimed = [record for record in near if _is_claimed(record, claim)]
    whole = [record for record in claimed if not any(finding in wanted for finding in record.findings)]
    if not whole:
        return None
    record = _nearest(whole, claim)
    known = "and its source says that it goes on" if record.under_way else "with its end and its energy"
    sentence = f"Session {record.session_id} is on record, {known}."
    return _answer(FAIL, "SESSION_RECORDED", sentence, record)


def _missing(claim: Claim, near: Sequence[UsageRecord]) -> RuleResult:
    """Passes if the spot recorded later sessions, and not this one; without any, its record may still come."""
    later = [record for record in near if record.started_at and record.started_at > claim.first_seen_at]
    if not later:
        sentence = "No usage record of the spot after the fault is on file yet."
        return _answer(INSUFFICIENT, "USAGE_MISSING", sentence)
    since = _nearest(later, claim)
    sentence = f"The session is not on record, though the spot has recorded session {since.session_id} since."
    return _answer(PASS, "SESSION_NOT_RECORDED", sentence, since)


def _is_claimed(record: UsageRecord, claim: Claim) -> bool:
    """Checks whether this is the session that the claim is about; unnamed, that is the one of its time."""
    if claim.session_id:
        return record.session_id == claim.session_id
    if claim.reservation_id:
        return record.reservation_id == claim.reservation_id
    return record.running_at(claim.first_seen_at)


def _sound_witness(claim: Claim, near: Sequence[UsageRecord]) -> UsageRecord | None:
    """Finds the record that contradicts the claim.

    It is of the session that the claim names, or of its connector at the time or since. A record of an earlier
    session says nothing: that of the fault's own may still come.
    """
    speaking = [
        record
        for record in near
        if (
            record.session_id == claim.session_id
            if claim.session_id
            else _same_connector(record, claim)
            and record.ended_at is not None
            and record.ended_at >= claim.first_seen_at
        )
    ]
    return _nearest(speaking, claim) if speaking else None


def _same_connector(record: UsageRecord, claim: Claim) -> bool:
    """Connector 0 is the whole spot."""
    return record.connector_id == claim.connector_id or not (record.connector_id and claim.connector_id)


def _most_telling(claim: Claim, records: Sequence[UsageRecord], max_power_kw: float | None) -> Finding | None:
    """Finds the finding of the claim's own session, else the most telling, nearest in time."""
    wanted = CORROBORATING.get(claim.code, ())
    found = session_findings.findings(records, max_power_kw, wanted)

    def order(finding: Finding) -> tuple[Any, ...]:
        record = finding.record
        return record.session_id != claim.session_id, wanted.index(finding.name), *_nearness(record, claim)

    return min(found, key=order, default=None)


def _nearest(records: Sequence[UsageRecord], claim: Claim) -> UsageRecord:
    return min(records, key=lambda record: _nearness(record, claim))


def _nearness(record: UsageRecord, claim: Claim) -> tuple[bool, timedelta, str, str]:
    """Sorts records by how well they can corroborate the fault; ties are broken deterministically."""
    distance = _distance(record, claim.first_seen_at)
    return not _same_connector(record, claim), distance, record.session_id, record.key


def _distance(record: UsageRecord, moment: datetime) -> timedelta:
    start, end = record.started_at, record.ended_at
    if start is not None and end is not None:
        return min(abs(start - moment), abs(end - moment))
    known = start or end
    return timedelta.max if known is None else abs(known - moment)


def _facts(record: UsageRecord) -> dict[str, Any]:
    return {
        "session_id": record.session_id,
        "connector_id": record.connector_id,
        "started_at": chain.instant(record.started_at) if record.started_at else None,
        "ended_at": chain.instant(record.ended_at) if record.ended_at else None,
        "energy_kwh": record.energy_kwh,
        "meter_start_kwh": record.meter_start_kwh,
        "meter_stop_kwh": record.meter_stop_kwh,
        "periods_kwh": record.periods_kwh,
        "findings": record.findings,
    }
