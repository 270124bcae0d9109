"""Evaluates whether what the policy demands is on file. What records already show counts as evidence."""

from datetime import timedelta

from domain.eligibility.evaluation import INSUFFICIENT, PASS, EvaluationInput, RuleResult
from domain.eligibility.question import distance
from domain.evidence import item as evidence
from domain.policy.policy import USAGE_RECORD, Policy


def evidence_complete(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Demands that all evidence the policy demands is on file."""
    demanded = evidence.demanded(policy, case.claim.code)
    if not demanded:
        return RuleResult(
            "evidence_complete", PASS, "NOT_DEMANDED", "The policy demands no evidence for this error."
        )
    on_file = kinds_on_file(case, policy)
    missing = evidence.missing(policy, case.claim.code, on_file)
    facts = {"demanded": list(demanded), "missing": missing}
    if missing:
        sentence = f"Not on file yet: {_spoken(missing)}."
        return RuleResult("evidence_complete", INSUFFICIENT, "EVIDENCE_MISSING", sentence, facts)
    demands = policy.codes[case.claim.code].evidence
    found = [kind for demand in demands for kind in evidence.any_of(demand) if kind in on_file]
    sentence = f"On file: {_spoken(found)}."
    return RuleResult("evidence_complete", PASS, "EVIDENCE_ON_FILE", sentence, facts)


def kinds_on_file(case: EvaluationInput, policy: Policy) -> frozenset[str]:
    """Names the kinds on file, a usage record among them where the claim's question found one."""
    return case.evidence | {USAGE_RECORD} if _usage_found(case, policy) else case.evidence


def lacking(case: EvaluationInput, policy: Policy) -> list[str]:
    """Names what the policy demands and the claim lacks."""
    return evidence.missing(policy, case.claim.code, kinds_on_file(case, policy))


def _usage_found(case: EvaluationInput, policy: Policy) -> bool:
    """Checks for the session that the claim names, or another record near enough to bear on it."""
    claim, window = case.claim, timedelta(days=policy.corroboration_window_days)
    return any(
        record.session_id == claim.session_id or distance(record, claim.first_seen_at) <= window
        for record in case.usage
    )


def _spoken(kinds: list[str]) -> str:
    return ", ".join(kind.replace("_", " ") for kind in kinds)
