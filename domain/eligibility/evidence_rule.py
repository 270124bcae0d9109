"""Evaluates whether what the policy demands is on file. What records already show counts as evidence."""

from datetime import timedelta

from domain.eligibility.evaluation import INSUFFICIENT, PASS, EvaluationInput, RuleResult
from domain.eligibility.question import distance
from domain.eligibility.signed.findings import doubts
from domain.evidence import item as evidence
from domain.field.signed_value import INVALID
from domain.field.usage import UsageRecord
from domain.policy.policy import SIGNED_METER_VALUE, USAGE_RECORD, Policy


def evidence_complete(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Demands that all evidence the policy demands is on file."""
    demanded = evidence.demanded(policy, case.claim.code)
    if not demanded:
        sentence = f"The policy demands no evidence for this error.{_doubts(case)}"
        return RuleResult("evidence_complete", PASS, "NOT_DEMANDED", sentence)
    on_file = kinds_on_file(case, policy)
    missing = evidence.missing(policy, case.claim.code, on_file)
    facts = {"demanded": list(demanded), "missing": missing}
    if missing:
        sentence = f"Not on file yet: {_spoken(missing)}.{_doubts(case)}"
        return RuleResult("evidence_complete", INSUFFICIENT, "EVIDENCE_MISSING", sentence, facts)
    demands = policy.codes[case.claim.code].evidence
    found = [kind for demand in demands for kind in evidence.any_of(demand) if kind in on_file]
    sentence = f"On file: {_spoken(found)}.{_doubts(case)}"
    return RuleResult("evidence_complete", PASS, "EVIDENCE_ON_FILE", sentence, facts)


def kinds_on_file(case: EvaluationInput, policy: Policy) -> frozenset[str]:
    """Names the kinds on file.

    Where the claim's question found a usage record, that is one, and so is a signed value that came with it.
    Signed values of which none is valid are none.
    """
    usage = _usage_found(case, policy)
    signed = [*case.filed, *(value for record in usage for value in record.checked)]
    kinds = case.evidence | {USAGE_RECORD} if usage else case.evidence
    if any(value.outcome != INVALID for value in signed):
        return kinds | {SIGNED_METER_VALUE}
    return kinds - {SIGNED_METER_VALUE} if signed else kinds


def lacking(case: EvaluationInput, policy: Policy) -> list[str]:
    """Names what the policy demands and the claim lacks."""
    return evidence.missing(policy, case.claim.code, kinds_on_file(case, policy))


def _usage_found(case: EvaluationInput, policy: Policy) -> list[UsageRecord]:
    """Finds the session that the claim names, and other records near enough to bear on it."""
    claim, window = case.claim, timedelta(days=policy.corroboration_window_days)
    return [
        record
        for record in case.usage
        if record.session_id == claim.session_id or distance(record, claim.first_seen_at) <= window
    ]


def _doubts(case: EvaluationInput) -> str:
    """Says what is wrong with the signed values that were filed."""
    return "".join(f" {sentence}" for sentence in doubts(case.filed))


def _spoken(kinds: list[str]) -> str:
    return ", ".join(kind.replace("_", " ") for kind in kinds)
