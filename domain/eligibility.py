"""Is the claim true? Named rules, each answering pass, fail or insufficient with its reason and its facts."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from domain import audit, meter
from domain.catalogue import ALLOCATION_FAILURE, EQUIPMENT
from domain.claim import Claim
from domain.decision import Decision, Step
from domain.lifecycle import WAITING_FOR_VERDICT, after
from domain.policy import Policy
from domain.spot import Spot
from domain.usage import UsageRecord

PASS, FAIL, INSUFFICIENT = "pass", "fail", "insufficient"
ELIGIBLE, INELIGIBLE = "eligible", "ineligible"

_METER_FINDINGS = (
    meter.NEGATIVE_ENERGY,
    meter.REGISTER_FELL_BACK,
    meter.REGISTERS_DISAGREE,
    meter.POWER_IMPLAUSIBLE,
    meter.REGISTER_UNKNOWN,
)
_TIME_FINDINGS = (meter.END_BEFORE_START, meter.TIME_IMPLAUSIBLE, meter.END_MISSING, meter.OVER_24_HOURS)

# What a usage record must show for a code to be believed, the most telling first.
CORROBORATING: Final[dict[str, tuple[str, ...]]] = {
    "METER_MISREAD": _METER_FINDINGS,
    "METER_REGRESSION": _METER_FINDINGS,
    "METER_UNREADABLE": (*_METER_FINDINGS, meter.ENERGY_MISSING),
    "ENERGY_IMPLAUSIBLE": _METER_FINDINGS,
    "UNIT_MISMATCH": _METER_FINDINGS,
    "DURATION_MISMATCH": _TIME_FINDINGS,
    "SESSION_OVERLAP": _TIME_FINDINGS,
    "SESSION_MISSING": (meter.END_MISSING, meter.ENERGY_MISSING),
}


@dataclass(slots=True)
class Case:
    """A claim with all that is known of its spot. `usage` holds the records nearest in time."""

    claim: Claim
    spot: Spot | None
    usage: Sequence[UsageRecord]


@dataclass(slots=True)
class Answer:
    """One rule's answer, in words a reviewer can check against `facts`."""

    rule: str
    result: str
    reason: str
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)


def spot_known(case: Case, policy: Policy) -> Answer:
    """The spot must be registered, unless the policy takes any spot that reports."""
    if case.spot is not None:
        return Answer("spot_known", PASS, "SPOT_REGISTERED", f"Spot {case.spot.spot_id} is registered.")
    if policy.unknown_spot_passes:
        sentence = f"Spot {case.claim.spot_id} is not registered; the policy lets its claims go on."
        return Answer("spot_known", PASS, "SPOT_UNREGISTERED", sentence)
    sentence = f"Spot {case.claim.spot_id} is not registered yet."
    return Answer("spot_known", INSUFFICIENT, "SPOT_UNREGISTERED", sentence)


def under_warranty(case: Case, policy: Policy) -> Answer:
    """The fault must have occurred on or before the last day of warranty."""
    until = case.spot.warranty_until if case.spot else None
    occurred = case.claim.first_seen_at.date()
    if until is None:
        result = PASS if policy.unknown_warranty_passes else INSUFFICIENT
        return Answer("under_warranty", result, "WARRANTY_UNKNOWN", "No end of warranty is on record.")
    facts = {"warranty_until": until.isoformat(), "occurred_on": occurred.isoformat()}
    if occurred <= until:
        return Answer("under_warranty", PASS, "UNDER_WARRANTY", f"Under warranty until {until}.", facts)
    sentence = f"The warranty ended on {until}, before the fault of {occurred}."
    return Answer("under_warranty", FAIL, "WARRANTY_EXPIRED", sentence, facts)


def usage_corroborates(case: Case, policy: Policy) -> Answer:
    """What the spot recorded must bear the claim out, as far as its kind of error leaves a trace."""
    if case.claim.claim_type == EQUIPMENT:
        return _corroboration(PASS, "NOT_DEMANDED", "An equipment fault needs no usage record.")
    if case.claim.claim_type == ALLOCATION_FAILURE:
        return _allocation(case)
    return _discrepancy(case, policy)


def _corroboration(result: str, reason: str, sentence: str, record: UsageRecord | None = None) -> Answer:
    facts = {} if record is None else _facts(record)
    return Answer("usage_corroborates", result, reason, sentence, facts)


def _allocation(case: Case) -> Answer:
    claim = case.claim
    for record in case.usage:
        if claim.reservation_id and record.reservation_id == claim.reservation_id:
            sentence = f"Session {record.session_id} used reservation {claim.reservation_id}: it was honoured."
            return _corroboration(FAIL, "RESERVATION_HONOURED", sentence, record)
    for record in case.usage:
        if record.running_at(claim.first_seen_at):
            sentence = f"Session {record.session_id} was using the spot at that moment."
            return _corroboration(PASS, "ANOTHER_SESSION_RUNNING", sentence, record)
    sentence = "No session on record used the spot at that moment."
    return _corroboration(PASS, "NO_SESSION_SERVED", sentence)


def _discrepancy(case: Case, policy: Policy) -> Answer:
    claim, window = case.claim, timedelta(days=policy.corroboration_window_days)
    near = [record for record in case.usage if _distance(record, claim.first_seen_at) <= window]
    telling = _most_telling(claim, near)
    if telling is not None:
        record, finding = telling
        return _corroboration(PASS, finding, meter.describe(record, finding), record)
    if near:
        sentence = f"The {len(near)} usage records around the fault show nothing of the kind."
        return _corroboration(FAIL, "USAGE_CONSISTENT", sentence, near[0])
    telling = _most_telling(claim, case.usage)
    if telling is not None:
        record, finding = telling
        sentence = (
            f"No usage record lies within {policy.corroboration_window_days:g} days of the fault; "
            f"the nearest telling one on file: {meter.describe(record, finding)}"
        )
        return _corroboration(PASS, finding, sentence, record)
    sentence = f"No usage record within {policy.corroboration_window_days:g} days of the fault is on file yet."
    return _corroboration(INSUFFICIENT, "USAGE_MISSING", sentence)


def _most_telling(claim: Claim, records: Sequence[UsageRecord]) -> tuple[UsageRecord, str] | None:
    """The record of the claim's own session if it tells, else the most telling finding nearest in time."""
    wanted = CORROBORATING.get(claim.code, ())
    found = [
        (record.session_id != claim.session_id, rank, _distance(record, claim.first_seen_at), record, finding)
        for record in records
        for rank, finding in enumerate(wanted)
        if finding in record.findings
    ]
    if not found:
        return None
    *_, record, finding = min(found, key=lambda entry: entry[:3])
    return record, finding


def _distance(record: UsageRecord, moment: datetime) -> timedelta:
    times = [abs(time - moment) for time in (record.started_at, record.ended_at) if time is not None]
    return min(times, default=timedelta.max)


def _facts(record: UsageRecord) -> dict[str, Any]:
    return {
        "session_id": record.session_id,
        "started_at": audit.instant(record.started_at) if record.started_at else None,
        "ended_at": audit.instant(record.ended_at) if record.ended_at else None,
        "energy_kwh": record.energy_kwh,
        "meter_start_kwh": record.meter_start_kwh,
        "meter_stop_kwh": record.meter_stop_kwh,
        "findings": record.findings,
    }


RULES: tuple[Callable[[Case, Policy], Answer], ...] = (spot_known, under_warranty, usage_corroborates)


def judge(case: Case, policy: Policy, now: datetime) -> dict[str, Any]:
    """The verdict: `outcome` (eligible, ineligible or insufficient) and every rule's answer, JSON-ready.

    A claim that still lacks its evidence at the policy's deadline is ineligible for that reason.
    """
    answers = [rule(case, policy) for rule in RULES]
    results = {answer.result for answer in answers}
    outcome = INELIGIBLE if FAIL in results else INSUFFICIENT if INSUFFICIENT in results else ELIGIBLE
    if outcome == INSUFFICIENT and now >= evidence_deadline(case.claim, policy):
        sentence = f"The evidence had not come {policy.evidence_wait_hours:g} hours after the claim opened."
        answers.append(Answer("evidence_in_time", FAIL, "EVIDENCE_NOT_RECEIVED", sentence))
        outcome = INELIGIBLE
    return {"outcome": outcome, "answers": [asdict(answer) for answer in answers]}


def evidence_deadline(claim: Claim, policy: Policy) -> datetime:
    """Until when a claim waits for late usage records."""
    return claim.opened_at + timedelta(hours=policy.evidence_wait_hours)


_ACTIONS = {ELIGIBLE: "find_eligible", INSUFFICIENT: "await_evidence", INELIGIBLE: "find_ineligible"}


def verify(cases: Sequence[Case], policy: Policy, now: datetime) -> Decision:
    """Judges a batch. Claims whose verdict is already in are left alone, so a repeated step changes nothing."""
    decision = Decision()
    eligible: list[str] = []
    for case in cases:
        claim = case.claim
        if claim.status not in WAITING_FOR_VERDICT:
            continue
        verdict = judge(case, policy, now)
        if verdict == claim.verdict:
            continue
        first_time = claim.verdict is None
        claim.status = after(claim.status, _ACTIONS[verdict["outcome"]])
        claim.verdict = verdict
        decision.changed.append(claim)
        decision.events.append(audit.append(claim, now, "rule:eligibility", "claim.verified", verdict))
        if verdict["outcome"] == ELIGIBLE:
            eligible.append(claim.id)
        elif verdict["outcome"] == INSUFFICIENT and first_time:
            decision.steps.append(Step("verify", [claim.id], due_at=evidence_deadline(claim, policy)))
    if eligible:
        decision.steps.append(Step("route", eligible))
    return decision
