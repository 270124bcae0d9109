"""Evaluates a claim's eligibility by named rules.

Each answers pass, fail or insufficient, with its reason and facts.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from domain.audit import chain
from domain.claims.claim import Claim
from domain.claims.lifecycle import ELIGIBLE, INELIGIBLE
from domain.claims.sla import STANDING
from domain.eligibility.evaluation import FAIL, INSUFFICIENT, PASS, EvaluationInput, RuleResult
from domain.eligibility.evidence_rule import evidence_complete
from domain.eligibility.usage_rule import usage_corroborates
from domain.policy.error_codes import OURS, parties_of
from domain.policy.policy import Policy
from domain.text import measure


def spot_known(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Demands a registered spot, unless the policy accepts any that reports."""
    if case.spot is not None:
        return RuleResult("spot_known", PASS, "SPOT_REGISTERED", f"Spot {case.spot.spot_id} is registered.")
    if policy.unknown_spot_passes:
        sentence = f"Spot {case.claim.spot_id} is not registered; the policy lets its claims go on."
        return RuleResult("spot_known", PASS, "SPOT_UNREGISTERED", sentence)
    sentence = f"Spot {case.claim.spot_id} is not registered yet."
    return RuleResult("spot_known", INSUFFICIENT, "SPOT_UNREGISTERED", sentence)


def error_covered(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Demands that the policy covers the error at all."""
    code = case.claim.code
    if policy.codes[code].covered:
        return RuleResult("error_covered", PASS, "COVERED", f"The warranty covers {code}.")
    return RuleResult("error_covered", FAIL, "NOT_COVERED", f"The warranty does not cover {code}.")


def responsible_party(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Demands that the station or its operator is responsible for the error.

    Both the policy and the field's own code say who is. A taxonomy that names the responsible parties is believed.
    The claim fails by that only if all reports say so: one report that may be the station's matter is enough to go
    on.
    """
    responsible, code = policy.codes[case.claim.code].responsible, case.claim.code
    facts: dict[str, Any] = {"responsible": responsible}
    if responsible not in OURS:
        sentence = f"By the policy {code} is a matter of the {responsible}."
        return RuleResult("responsible_party", FAIL, "NOT_THE_STATIONS", sentence, facts)
    if case.reported and all(_elsewhere(*report) for report in case.reported):
        reports = sorted(case.reported)
        parties = sorted({party for report in reports for party in parties_of(*report)})
        codes = [f"{taxonomy} {raw_code}" for taxonomy, raw_code in reports]
        sentence = f"What was reported, {', '.join(codes)}, is a matter of the {' or the '.join(parties)}."
        facts |= {"reported": codes, "parties": parties}
        return RuleResult("responsible_party", FAIL, "STATION_NOT_INVOLVED", sentence, facts)
    return RuleResult("responsible_party", PASS, "RESPONSIBLE", f"{code} is a matter of the {responsible}.", facts)


def _elsewhere(taxonomy: str, raw_code: str) -> bool:
    """Checks whether a taxonomy makes other parties responsible for its code, and none that a warranty binds."""
    parties = parties_of(taxonomy, raw_code)
    return bool(parties) and not parties & OURS


def filed_in_time(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Demands that the claim was filed within the policy's days of the fault."""
    claim, days = case.claim, policy.codes[case.claim.code].filing_days
    facts = {
        "occurred_at": chain.instant(claim.first_seen_at),
        "filed_at": chain.instant(claim.opened_at),
        "filing_days": days,
    }
    late = claim.opened_at - claim.first_seen_at
    if late <= timedelta(days=days):
        sentence = f"Filed within {measure(days, 'day')} of the fault."
        return RuleResult("filed_in_time", PASS, "FILED_IN_TIME", sentence, facts)
    are = "is" if days == 1 else "are"
    sentence = f"Filed {late / timedelta(days=1):.1f} days after the fault; {days:g} {are} allowed."
    return RuleResult("filed_in_time", FAIL, "FILED_TOO_LATE", sentence, facts)


def under_warranty(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Demands that the fault occurred by the last day of warranty.

    The day is that of the site's calendar.
    """
    until = case.spot.warranty_until if case.spot else None
    if until is None:
        result = PASS if policy.unknown_warranty_passes else INSUFFICIENT
        return RuleResult("under_warranty", result, "WARRANTY_UNKNOWN", "No end of warranty is on record.")
    zone = _zone(case.spot.time_zone if case.spot else None, policy.time_zone)
    occurred = _day(case.claim.first_seen_at, zone)
    facts = {"warranty_until": until.isoformat(), "occurred_on": occurred.isoformat(), "time_zone": str(zone)}
    if occurred <= until:
        return RuleResult("under_warranty", PASS, "UNDER_WARRANTY", f"Under warranty until {until}.", facts)
    sentence = f"The warranty ended on {until}, before the fault of {occurred}."
    return RuleResult("under_warranty", FAIL, "WARRANTY_EXPIRED", sentence, facts)


@lru_cache(maxsize=1024)
def _zone(name: str | None, otherwise: str) -> tzinfo:
    """Returns the zone of this name; the other where the spot states none, or an unknown one."""
    try:
        return ZoneInfo(name or otherwise)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(otherwise)


def _day(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


# The usage rule comes last: where all pass, a verdict is described by the last.
RULES: tuple[Callable[[EvaluationInput, Policy], RuleResult], ...] = (
    spot_known,
    error_covered,
    responsible_party,
    filed_in_time,
    under_warranty,
    evidence_complete,
    usage_corroborates,
)


def judge(case: EvaluationInput, policy: Policy, now: datetime) -> dict[str, Any]:
    """Evaluates a claim and returns the verdict, JSON-ready.

    `outcome` is eligible, ineligible or insufficient, and `answers` are the results of all rules. A claim that
    still lacks its evidence at the policy's deadline is ineligible for that reason.
    """
    answers = [rule(case, policy) for rule in RULES]
    results = {answer.result for answer in answers}
    outcome = INELIGIBLE if FAIL in results else INSUFFICIENT if INSUFFICIENT in results else ELIGIBLE
    if outcome == INSUFFICIENT and now >= evidence_deadline(case.claim, policy, now):
        wait = measure(policy.evidence_wait_hours, "hour")
        sentence = f"The evidence had not come {wait} after the claim opened."
        answers.append(RuleResult("evidence_in_time", FAIL, "EVIDENCE_NOT_RECEIVED", sentence))
        outcome = INELIGIBLE
    rests_on = {"faults_digest": case.faults_digest} if case.faults_digest else {}
    return {"outcome": outcome, "answers": [_spelled(answer) for answer in answers]} | rests_on


def _spelled(answer: RuleResult) -> dict[str, Any]:
    return {
        "rule": answer.rule,
        "result": answer.result,
        "reason": answer.reason,
        "sentence": answer.sentence,
        "facts": answer.facts,
    }


def evidence_deadline(claim: Claim, policy: Policy, now: datetime) -> datetime:
    """Returns until when a claim waits for what is missing.

    It counts from the opening. A claim that was reopened begins to wait with the pause of its clocks, or, before
    its verdict, `now`.
    """
    began = claim.opened_at
    if claim.reopened:
        began = claim.pauses[-1] if claim.status in STANDING and claim.pauses else now
    return began + timedelta(hours=policy.evidence_wait_hours)
